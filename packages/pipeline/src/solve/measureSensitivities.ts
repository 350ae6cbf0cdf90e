import { join } from 'node:path';
import { reconstruct, type TokenWindow } from '@quern/core';
import { activationTypeOf, cloneModel, createInlineStore, type OnnxModel, replaceSite } from '@quern/onnx';
import type { Device } from '@quern/runtime';
import { keepBaseline } from '../forward/keepBaseline.ts';
import { type Divergence, openBaseline } from '../forward/openBaseline.ts';
import { checkInterrupted } from '../interruption.ts';
import { type Material, windowsOf } from '../open/material.ts';
import { jobKey } from './jobKey.ts';
import type { FinishedJob } from './runJobs.ts';
import type { SitePlan } from './sitePlan.ts';
import type { OriginalRun } from './solveOnOriginal.ts';

/** Windows of the calibration text, evenly spread, on which divergence is measured. */
const WINDOWS = 8;

/**
 * How much the model minds the error of each site: the KL divergence from the original, in nats per token, when that site alone runs
 * with its result, divided by the site's squared relative output error. Sites of models that read no text count alike.
 *
 * `keys` name the results in the store. Cost: one forward pass over 8 windows a site, of a large model from its block on; see
 * `keepBaseline` for what lies on disk.
 */
export async function measureSensitivities(
  run: OriginalRun & { readonly device: Device; readonly scratch: string },
  plans: readonly SitePlan[],
  keys: ReadonlyMap<string, string>,
  material: Material,
): Promise<ReadonlyMap<string, number>> {
  const { model, results, emit, signal, origin, device, scratch } = run;
  const windows = windowsOf(material);
  const sensitivities = new Map<string, number>();
  let divergence: Divergence | null = null;
  const open = async (): Promise<Divergence> => {
    const options = { device, signal };
    const kept = await keepBaseline(model, sample(windows), join(scratch, 'sensitivities'), options);
    return openBaseline(kept, model, options);
  };
  try {
    for (const plan of plans) {
      checkInterrupted(signal);
      const { name } = plan.site;
      const key = jobKey({ origin, sensitivity: keys.get(name)! });
      let sensitivity = await results.load<number>(key);
      if (sensitivity === null) {
        const { result } = (await results.load<FinishedJob>(keys.get(name)!))!;
        const energy = (result.relativeOutputError ?? 0) ** 2;
        if (energy === 0) sensitivity = 0;
        else if (windows.length === 0) sensitivity = 1;
        else {
          divergence ??= await open();
          sensitivity = (await divergence.of(await swapSite(model, plan, result), plan.site.block)) / energy;
        }
        await results.save(key, sensitivity);
      }
      sensitivities.set(name, sensitivity);
      const progress = { done: sensitivities.size, total: plans.length, unit: 'sites' } as const;
      emit({ kind: 'progress', stage: 'capture', ...progress, detail: 'sensitivity' });
    }
  } finally {
    await divergence?.release();
  }
  return sensitivities;
}

/** At most WINDOWS of them, evenly spread. */
function sample(windows: readonly TokenWindow[]): TokenWindow[] {
  const count = Math.min(WINDOWS, windows.length);
  return Array.from({ length: count }, (_, at) => windows[Math.floor(((at + 0.5) * windows.length) / count)]!);
}

/** The original model with one site's result, in float16, in place of its weight. */
async function swapSite(
  model: OnnxModel,
  { site }: SitePlan,
  { compressed }: FinishedJob['result'],
): Promise<OnnxModel> {
  const copy = cloneModel(model);
  const { data } = await reconstruct(compressed);
  const { outFeatures, inFeatures } = site;
  const dense = { kind: 'dense', outFeatures, inFeatures, data: data.map(Math.f16round) } as const;
  const replacement = { site, compressed: dense, accuracyLevel: 0, activationType: activationTypeOf(model, site) };
  await replaceSite(copy, replacement, createInlineStore(model.folder));
  return copy;
}
