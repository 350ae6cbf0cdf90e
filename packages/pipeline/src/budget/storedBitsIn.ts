import { type CodeCounts, fitCodeTables } from '@quern/coder';
import { type CompressedWeight, type LinearSite, storageBits } from '@quern/core';
import {
  cloneModel,
  createInlineStore,
  type KernelOptions,
  type OnnxModel,
  replaceSite,
  storeMasked,
  storePlanes,
  type TensorProto,
} from '@quern/onnx';
import { countTensor, packTensor } from '../output/packed/packTensor.ts';
import { tensorNatures } from '../output/packed/tensorNatures.ts';
import type { Recipe } from '../recipe.ts';

/** Tables that a file's tensors share; a tensor alone is packed with as many. */
const TABLES = 64;
/** Of a tensor's entry in the index of a packed file, about. */
const ENTRY_BYTES = 17;

/** Where a weight would stand. */
export interface StoredPlace extends KernelOptions {
  readonly model: OnnxModel;
  readonly site: LinearSite;
  readonly storage: NonNullable<Recipe['storage']>;
}

/**
 * All bits that a compressed weight takes in a file of the storage. Exact for containers and bit planes; for packed files what its
 * tensors take when they are packed with tables of their own, some tenths of a per cent from what they take beside others.
 *
 * Cost: for packed files, that of packing.
 */
export async function storedBitsIn(place: StoredPlace, compressed: CompressedWeight): Promise<number> {
  const bits = storageBits(compressed);
  if (place.storage === 'container') return bits;
  const { site, accuracyLevel, activationType } = place;
  const model = cloneModel(place.model);
  const store = createInlineStore(model.folder);
  await replaceSite(model, { site, compressed, accuracyLevel, activationType }, store);
  const own = store.added();
  const saved = place.storage === 'packed' ? savedByPacking(model, own) : await savedByPlanes(model, own);
  return bits - 8 * saved;
}

function savedByPacking(model: OnnxModel, tensors: readonly TensorProto[]): number {
  const natureOf = tensorNatures(model);
  const all = tensors.map(tensor => ({ bytes: tensor.rawData, nature: natureOf(tensor) }));
  const counts = all
    .map(({ bytes, nature }) => countTensor(bytes, nature))
    .filter((one): one is CodeCounts => one !== null);
  const tables = fitCodeTables(counts, { maximum: TABLES });
  return all.reduce((saved, { bytes, nature }) => {
    const { payload } = packTensor(bytes, nature, tables);
    return saved + bytes.length - payload.length - ENTRY_BYTES;
  }, 0);
}

async function savedByPlanes(model: OnnxModel, tensors: readonly TensorProto[]): Promise<number> {
  const containers = new Map(tensors.map(tensor => [tensor.name, tensor.rawData.length]));
  const store = createInlineStore(model.folder);
  const smaller = [...(await storeMasked(model, store)), ...(await storePlanes(model, store))];
  let saved = 0;
  for (const [name, bytes] of smaller) saved += (containers.get(name) ?? bytes) - bytes;
  return saved;
}
