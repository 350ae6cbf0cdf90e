import { rm, stat } from 'node:fs/promises';
import { copyRemaining, createWeightStore, type OnnxModel, storePlanes } from '@quern/onnx';
import type { WrittenResult } from '../writeResult.ts';
import { measureSite } from './measureSite.ts';

/**
 * Moves the weights of a model into data files in which codes narrower than their container are bit planes, and changes its
 * graph accordingly. The data files that it had are removed.
 *
 * Errors: those of `storePlanes`, `copyRemaining` and the store.
 */
export async function storeAsPlanes(
  model: OnnxModel,
  written: WrittenResult,
  place: { readonly folder: string; readonly dataName: string },
): Promise<WrittenResult> {
  const containers = new Map(model.proto.graph!.initializer.map(tensor => [tensor.name, byteCount(tensor.dims)]));
  const store = createWeightStore({ folder: place.folder, fileName: place.dataName });
  try {
    const planes = await storePlanes(model, store);
    await copyRemaining(model, store, { fold: false });
    const dataFiles = await store.close();
    let containerBytes = 0;
    for (const { path } of written.dataFiles) {
      containerBytes += (await stat(path)).size;
      await rm(path);
    }
    const sizes = new Map(
      [...planes].map(([name, bytes]) => {
        const size = { encoding: 'planes' as const, bytes, planeBytes: bytes };
        return [name, { ...size, containerBytes: containers.get(name)! }];
      }),
    );
    return { ...written, dataFiles, containerBytes, sites: written.sites.map(site => measureSite(site, sizes)) };
  } catch (error) {
    await store.abort();
    throw error;
  }
}

/** Bytes of a tensor of bytes. */
function byteCount(dims: readonly bigint[]): number {
  return dims.reduce((product, size) => product * Number(size), 1);
}
