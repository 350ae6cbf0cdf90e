import { readWeight } from '@quern/onnx';
import type { RatePoint } from '@quern/solvers';
import { checkInterrupted } from '../interruption.ts';
import { jobKey } from './jobKey.ts';
import { nameSite } from './nameSite.ts';
import { releaseMemory } from './releaseMemory.ts';
import { shareOut } from './shareOut.ts';
import { curveOptions, type SitePlan } from './sitePlan.ts';
import type { OriginalRun } from './solveOnOriginal.ts';
import type { SolveMember } from './solveSite.ts';

/** Plans of one solver that are one weight to it, or one plan. */
type Unit = readonly SitePlan[];

export type CurveRun = Pick<
  OriginalRun,
  'executor' | 'results' | 'origin' | 'model' | 'statisticsOf' | 'emit' | 'signal'
>;

/** What each unit loses at falling rates on the activations of the original. What the store holds is not measured again. */
export async function rateCurves(
  run: CurveRun,
  units: readonly Unit[],
  stage: 'capture' | 'measure',
): Promise<ReadonlyMap<Unit, readonly RatePoint[]>> {
  const { executor, results, model, statisticsOf, emit, signal } = run;
  const curves = new Map<Unit, readonly RatePoint[]>();
  await shareOut(units, executor.threads, async unit => {
    checkInterrupted(signal);
    const { site, solver } = unit[0]!;
    let curve = await recallCurve(run, unit);
    if (!curve) {
      const members: SolveMember[] = [];
      for (const plan of unit) {
        const known = { weight: await readWeight(model, plan.site), statistics: await statisticsOf(plan) };
        members.push({ ...known, inputName: plan.site.inputName, options: curveOptions(plan.options) });
      }
      try {
        curve = await executor.rateCurve({ solver, members }, signal);
      } catch (error) {
        throw nameSite(error, site);
      }
      await results.save(keyOf(run, unit), curve);
      releaseMemory(8 * site.inFeatures ** 2);
    }
    curves.set(unit, curve);
    const progress = { done: curves.size, total: units.length, unit: 'sites' } as const;
    emit({ kind: 'progress', stage, ...progress, detail: 'rates' });
  });
  return curves;
}

/** What was measured before; null for nothing. */
export function recallCurve(run: Pick<CurveRun, 'results' | 'origin'>, unit: Unit): Promise<RatePoint[] | null> {
  return run.results.load<RatePoint[]>(keyOf(run, unit));
}

function keyOf({ origin }: Pick<CurveRun, 'origin'>, unit: Unit): string {
  const options = unit.map(plan => curveOptions(plan.options));
  return jobKey({ origin, rateCurve: unit.map(plan => plan.site.name), solver: unit[0]!.solver, options });
}
