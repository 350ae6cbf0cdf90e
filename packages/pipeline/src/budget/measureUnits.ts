import { lossAt, type RatePoint } from '@quern/solvers';
import { groupPlans, isStacked } from '../solve/groupPlans.ts';
import { type CurveRun, rateCurves, recallCurve } from '../solve/rateCurves.ts';
import { curveOptions, plannedStorageBits, type SitePlan } from '../solve/sitePlan.ts';
import type { SiteCandidates } from './listCandidates.ts';
import type { MeasuredWay } from './measureWays.ts';

/** Sites that are one weight to their solver where all are treated in this way, with what that stores and spoils. */
export interface MeasuredUnit extends MeasuredWay {
  /** One a site, two or more. `bits` are of all together, `error` the mean of their squared relative errors. */
  readonly plans: readonly SitePlan[];
}

/** The same sites at several rates: one curve tells of all. */
type UnitWays = readonly (readonly SitePlan[])[];

/**
 * What sites store and spoil that a solver takes for one weight, in every way that all of them can have. What the store holds is not measured again.
 *
 * Cost: a rate curve for each such weight, on all workers.
 */
export async function measureUnits(run: CurveRun, sites: readonly SiteCandidates[]): Promise<MeasuredUnit[]> {
  const units = unitsOf(sites);
  const curves = await rateCurves(
    run,
    units.map(ways => ways[0]!),
    'measure',
  );
  return units.flatMap(ways => ways.map(plans => atRate(plans, curves.get(ways[0]!)!)));
}

/** What is known of them without measuring; null unless all of it is. */
export async function recallUnits(
  run: Pick<CurveRun, 'results' | 'origin'>,
  sites: readonly SiteCandidates[],
): Promise<MeasuredUnit[] | null> {
  const known: MeasuredUnit[] = [];
  for (const ways of unitsOf(sites)) {
    const curve = await recallCurve(run, ways[0]!);
    if (curve === null) return null;
    known.push(...ways.map(plans => atRate(plans, curve)));
  }
  return known;
}

function unitsOf(sites: readonly SiteCandidates[]): UnitWays[] {
  const plans = sites.flatMap(site => site.plans).filter(isStacked);
  const alike = Map.groupBy(plans, ({ solver, options }) => JSON.stringify([solver, options]));
  const units = [...alike.values()].flatMap(own => groupPlans(own)).filter(unit => unit.length > 1);
  const weightOf = (unit: readonly SitePlan[]): string =>
    JSON.stringify([unit[0]!.solver, curveOptions(unit[0]!.options), unit.map(({ site }) => site.name)]);
  return [...Map.groupBy(units, weightOf).values()];
}

function atRate(plans: readonly SitePlan[], curve: readonly RatePoint[]): MeasuredUnit {
  const elements = plans.reduce((sum, { site }) => sum + site.outFeatures * site.inFeatures, 0);
  const bits = plans.reduce((sum, plan) => sum + plannedStorageBits(plan, plans), 0);
  return { plans, bits, error: lossAt(curve, bits / elements) };
}
