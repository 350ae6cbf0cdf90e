import { type LossRun, measureLosses } from '../measure/measureLosses.ts';
import { measurementStore } from '../measure/measurementStore.ts';
import type { Material } from '../open/material.ts';
import { sampleText } from '../open/sampleText.ts';
import type { FinishedJob } from './runJobs.ts';
import type { SitePlan } from './sitePlan.ts';

/**
 * How much the model minds the error of each site, or of several together: what it loses on windows of the calibration text when they alone run
 * with their results, which the run's store holds under `keys`, divided by their mean squared relative output error. Those of models that
 * read no text count by their number.
 *
 * Cost: that of `measureLosses`.
 */
export async function sensitivitiesOf<Unit extends readonly SitePlan[]>(
  run: LossRun,
  units: readonly Unit[],
  keys: ReadonlyMap<string, string>,
  material: Material,
): Promise<ReadonlyMap<Unit, number>> {
  const text = sampleText(material);
  if (units.length === 0 || text === null) return new Map(units.map(unit => [unit, unit.length]));
  const requests = units.map(unit =>
    unit.map(plan => {
      const key = keys.get(plan.site.name)!;
      const load = async () => (await run.results.load<FinishedJob>(key))!.result.compressed;
      return { plan, solved: { key, load } };
    }),
  );
  const results = await measurementStore(run.results, run.emit);
  const losses = await measureLosses({ ...run, results }, requests, text);
  return new Map(units.map((unit, at) => [unit, ratio(losses[at]!.loss, losses[at]!.error)]));
}

function ratio(loss: number, error: number): number {
  return error === 0 ? 0 : loss / error;
}
