import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type QuantizedWeight, storageBits } from '@quern/core';
import { cloneModel, createWeightStore, findBlockCuts, findLinearSites, writeOnnxModel } from '@quern/onnx';
import type { OpenedModel } from '../../open/openModel.ts';
import type { Recipe } from '../../recipe.ts';
import { foldScales, type SolvedSite } from '../../solve/foldScales.ts';
import { placeResult } from '../../solve/placeResult.ts';
import { groupSizeOf, type SitePlan, solverOf } from '../../solve/sitePlan.ts';
import { writeRest } from '../writeRest.ts';
import { packGraph } from './packGraph.ts';

/**
 * Bytes of graph and data without the planned sites: embedding, head, norms, names. Measured on files: the model is written with zeros for
 * those sites, packed where the recipe packs, and what they take is subtracted. Input scales are folded as in a run: norms that take
 * one grow. What bit planes add to a graph is not counted.
 *
 * Cost: the whole model is written once in containers, and read three times; memory as `packGraph`, and a byte for each weight of a block.
 */
export async function measureRest(opened: OpenedModel, plans: readonly SitePlan[], recipe: Recipe): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'quern-size-'));
  try {
    const model = cloneModel(opened.model);
    const store = createWeightStore({ folder, fileName: 'model.onnx_data' });
    const heads = new Set(findLinearSites(model).map(site => site.name));
    const cuts = findBlockCuts(model);
    const own: string[] = [];
    let ownBytes = 0;
    for (const inBlock of Map.groupBy(plans, ({ site }) => site.block).values()) {
      for (const { plan, finished } of await foldScales({ model, store, cuts }, inBlock.map(withZeros))) {
        const { tensors, storageBits } = await placeResult({ model, store, recipe }, plan, finished);
        own.push(...tensors);
        ownBytes += storageBits / 8;
      }
    }
    await writeRest(model, recipe, store, heads);
    const files = await store.close();
    const graph = join(folder, 'model.onnx');
    await writeOnnxModel({ proto: model.proto, folder }, graph);
    if (recipe.storage !== 'packed') {
      return files.reduce((sum, { bytes }) => sum + bytes, (await stat(graph)).size - ownBytes);
    }
    const { bytes, sizes } = await packGraph(graph);
    return own.reduce((left, name) => left - (sizes.get(name)?.bytes ?? 0), bytes + (await stat(graph)).size);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function withZeros(plan: SitePlan): SolvedSite {
  const { outFeatures, inFeatures } = plan.site;
  const codes = new Uint8Array(outFeatures * inFeatures).fill(8);
  const groupSize = groupSizeOf(plan) ?? inFeatures;
  const scales = new Float32Array(outFeatures * Math.ceil(inFeatures / groupSize)).fill(1);
  const grid = { bits: 4, groupSize, scaleType: 'float16', zeroPoints: null } as const;
  const compressed: QuantizedWeight = {
    ...{ kind: 'quantized', outFeatures, inFeatures, ...grid, codes, scales },
    ...(solverOf(plan).scalesInput ? { inputScale: new Float32Array(inFeatures).fill(1) } : {}),
  };
  const result = {
    compressed,
    relativeOutputError: null,
    relativeWeightError: 0,
    storageBits: storageBits(compressed),
  };
  return { plan, finished: { result, durationMs: 0 } };
}
