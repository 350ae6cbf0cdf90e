import { rm, stat } from 'node:fs/promises';
import {
  copyRemaining,
  createWeightStore,
  modelTensors,
  type OnnxModel,
  storeMasked,
  storePlanes,
  tensorSize,
} from '@quern/onnx';
import type { WrittenResult } from '../writeResult.ts';
import { measureSites } from './measureSites.ts';

/**
 * Moves the weights of a model into data files in which codes narrower than their container are bit planes and the zeros of sparse factors
 * bits of a mask, and changes its graph accordingly. The data files that it had are removed.
 *
 * Errors: those of `storeMasked`, `storePlanes`, `copyRemaining` and the store.
 */
export async function storeAsPlanes(
  model: OnnxModel,
  written: WrittenResult,
  place: { readonly folder: string; readonly dataName: string },
): Promise<WrittenResult> {
  const containers = new Map(modelTensors(model.proto).map(tensor => [tensor.name, tensorSize(tensor).byteCount ?? 0]));
  const store = createWeightStore({ folder: place.folder, fileName: place.dataName });
  try {
    const masked = await storeMasked(model, store);
    const planes = await storePlanes(model, store);
    await copyRemaining(model, store, { fold: false });
    const dataFiles = await store.close();
    let containerBytes = 0;
    for (const { path } of written.dataFiles) {
      containerBytes += (await stat(path)).size;
      await rm(path);
    }
    const sizes = new Map(
      [...masked, ...planes].map(([name, bytes]) => {
        const size = { encoding: masked.has(name) ? 'sparse' : 'planes', bytes, planeBytes: bytes } as const;
        return [name, { ...size, containerBytes: containers.get(name)! }];
      }),
    );
    return { ...written, dataFiles, containerBytes, sites: measureSites(written.sites, sizes) };
  } catch (error) {
    await store.abort();
    throw error;
  }
}
