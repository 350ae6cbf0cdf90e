import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LinearSite, QuantizedWeight } from '@quern/core';
import {
  activationTypeOf,
  cloneModel,
  createWeightStore,
  findLinearSites,
  replaceSite,
  writeOnnxModel,
} from '@quern/onnx';
import type { OpenedModel } from '../../open/openModel.ts';
import type { Recipe } from '../../recipe.ts';
import type { SitePlan } from '../../solve/sitePlan.ts';
import { writeRest } from '../writeRest.ts';
import { PACKED_INLINE_BYTES, packGraph } from './packGraph.ts';

/**
 * Bytes of graph and packed data without the planned sites: embedding, head, norms, names. Measured on files: the model is written
 * with zeros for those sites, packed, and what they take is subtracted.
 *
 * Cost: the whole model is written once in containers, and read three times; memory as `packGraph`.
 */
export async function measureRest(opened: OpenedModel, plans: readonly SitePlan[], recipe: Recipe): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'quern-size-'));
  try {
    const model = cloneModel(opened.model);
    const store = createWeightStore({ folder, fileName: 'model.onnx_data', inlineBytes: PACKED_INLINE_BYTES });
    const heads = new Set(findLinearSites(model).map(site => site.name));
    for (const { site } of plans) {
      const activationType = activationTypeOf(model, site);
      const { accuracyLevel } = recipe;
      await replaceSite(model, { site, compressed: zeros(site), accuracyLevel, activationType }, store);
    }
    const own = store.added().map(({ name }) => name);
    await writeRest(model, recipe, store, heads);
    await store.close();
    const graph = join(folder, 'model.onnx');
    await writeOnnxModel({ proto: model.proto, folder }, graph);
    const { bytes, sizes } = await packGraph(graph);
    return own.reduce((left, name) => left - (sizes.get(name)?.bytes ?? 0), bytes + (await stat(graph)).size);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function zeros({ outFeatures, inFeatures }: LinearSite): QuantizedWeight {
  const codes = new Uint8Array(outFeatures * inFeatures).fill(8);
  const scales = new Float32Array(outFeatures).fill(1);
  const grid = { bits: 4, groupSize: inFeatures, scaleType: 'float16', zeroPoints: null } as const;
  return { kind: 'quantized', outFeatures, inFeatures, ...grid, codes, scales };
}
