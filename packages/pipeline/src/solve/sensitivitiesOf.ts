import { type LossRun, measureLosses } from '../measure/measureLosses.ts';
import { measurementStore } from '../measure/measurementStore.ts';
import type { Material } from '../open/material.ts';
import { sampleText } from '../open/sampleText.ts';
import type { FinishedJob } from './runJobs.ts';
import type { SitePlan } from './sitePlan.ts';

/**
 * How much the model minds the error of each site, by its name: what it loses on windows of the calibration text when that site alone runs
 * with its result, which the run's store holds under `keys`, divided by the site's squared relative output error. Sites of models that
 * read no text count alike.
 *
 * Cost: that of `measureLosses`.
 */
export async function sensitivitiesOf(
  run: LossRun,
  plans: readonly SitePlan[],
  keys: ReadonlyMap<string, string>,
  material: Material,
): Promise<ReadonlyMap<string, number>> {
  const text = sampleText(material);
  if (plans.length === 0 || text === null) return new Map(plans.map(({ site }) => [site.name, 1]));
  const requests = plans.map(plan => {
    const key = keys.get(plan.site.name)!;
    const load = async () => (await run.results.load<FinishedJob>(key))!.result.compressed;
    return { plan, solved: { key, load } };
  });
  const results = await measurementStore(run.results, run.emit);
  const losses = await measureLosses({ ...run, results }, requests, text);
  return new Map(plans.map(({ site }, at) => [site.name, ratio(losses[at]!.loss, losses[at]!.error)]));
}

function ratio(loss: number, error: number): number {
  return error === 0 ? 0 : loss / error;
}
