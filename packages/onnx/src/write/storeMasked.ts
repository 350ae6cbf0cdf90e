import { forEachSet, narrowestPlanes, planeBytes, splitSparse, unpackBlocks } from '@quern/coder';
import { CompressionError } from '@quern/core';
import { isStandard } from '../attributeValue.ts';
import { DataType } from '../dataType.ts';
import type { TensorProto } from '../generated/onnx_pb.js';
import { type GraphScope, graphScopes, indexDefinitions } from '../graphScopes.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { readTensor } from '../read/readTensor.ts';
import { tensorSize } from '../read/tensorSize.ts';
import { findStoredCodes, type StoredCodes } from '../sites/findStoredCodes.ts';
import { freshNames, standardOpset } from './graphEdit.ts';
import { type Unpacking, unpacking } from './unpacking.ts';
import type { WeightStore } from './weightStore.ts';

/** CumSum. */
const LEAST_OPSET = 11;

/**
 * Stores matrices that are mostly one value, zero as a rule, as a bit mask and what stands where it is set, wherever that takes fewer bytes than
 * all codes at their own width; and adds the standard operators that put them together. A session folds these once at load, and the
 * products then read what they always read. Codes are stored at the width that tells them apart, one after the other.
 *
 * Masks and codes are padded to whole pairs of bytes. Other tensors stay where they are: follow with `storePlanes` and `copyRemaining`.
 *
 * @returns the bytes that each replaced tensor takes now, by its name.
 * @throws CompressionError UNSUPPORTED_MODEL for a graph older than opset 11, which cannot sum up a mask; otherwise as `readTensor` and the store.
 * Cost: one tensor in memory, codes unpacked. At load, for a moment, some 30 bytes a place of all such tensors together.
 */
export async function storeMasked(model: OnnxModel, store: WeightStore): Promise<Map<string, number>> {
  const place = {
    store,
    names: freshNames(model),
    mainGraph: model.proto.graph!,
    constants: new Map<string, string>(),
  };
  const sizes = new Map<string, number>();
  const replace = async ({ tensor, scope }: StoredMatrix, build: Build | null): Promise<void> => {
    if (build === null) return;
    requireSums(model);
    const unpack = unpacking(place, tensor.name);
    sizes.set(tensor.name, await build(unpack));
    scope.graph.initializer = [...scope.graph.initializer.filter(other => other !== tensor), ...unpack.initializers];
    scope.graph.node.unshift(...unpack.nodes);
  };
  for (const stored of findStoredCodes(model)) {
    if (stored.role === 'codes') await replace(stored, await maskedCodes(model, stored));
  }
  for (const stored of findHalves(model)) await replace(stored, await maskedHalves(model, stored.tensor));
  return sizes;
}

/** Stores the parts and makes the nodes that give a tensor of its name; the bytes that the parts take. */
type Build = (unpack: Unpacking) => Promise<number>;

type StoredMatrix = Pick<StoredCodes, 'tensor' | 'scope'>;

/** Null where a mask saves nothing. */
async function maskedCodes(model: OnnxModel, { tensor, layout }: StoredCodes): Promise<Build | null> {
  const { bytes } = await readTensor(model, tensor);
  const { rows, bits } = layout;
  const padded = (bytes.length * 8) / bits / rows;
  const everything = { ...layout, columns: padded, padCode: 0 };
  const planes = Math.min(planeBytes(everything, narrowestPlanes(bytes, everything)) - 1, bytes.length);
  // Padding that is zero as well goes with the zeros; any other counts as codes.
  const all = unpackBlocks(bytes, everything);
  const { zero: common } = splitSparse(all);
  const columns = isPaddedWith(common, all, { padded, columns: layout.columns }) ? layout.columns : padded;
  const codes = columns === padded ? all : unpackBlocks(bytes, layout);
  const { zero, lowest, step, width, mask, indices } = splitSparse(codes);
  const size = pairs(8 * mask.length) + pairs(indices.length * width);
  if (zero !== common || size >= planes || indices.length === 0) return null;
  return async unpack => {
    const inOrder = byColumn(indices, mask, { rows, columns });
    const values = await unpack.codesOf(inOrder, { width, lowest, step });
    let matrix = await unpack.spread(mask, [rows, columns], { values, zero: Uint8Array.of(zero) });
    if (columns < padded) matrix = unpack.widen(matrix, [rows, padded - columns], zero);
    const filled = bits === 8 ? matrix : unpack.bytesOf(matrix, bits);
    const { dims } = tensorSize(tensor);
    unpack.finish(filled, dims, tensor.name);
    return size;
  };
}

/** Null where a mask saves nothing. */
async function maskedHalves(model: OnnxModel, tensor: TensorProto): Promise<Build | null> {
  const { bytes } = await readTensor(model, tensor);
  const words = new Uint16Array(bytes.slice().buffer);
  const mask = new Uint8Array(Math.ceil(words.length / 8));
  for (const [place, word] of words.entries()) if (word !== 0) mask[place >> 3]! |= 1 << (place & 7);
  const values = words.filter(word => word !== 0);
  const size = pairs(8 * mask.length) + 2 * values.length;
  if (size >= bytes.length || values.length === 0) return null;
  return async unpack => {
    const columns = tensorSize(tensor).dims.at(-1)!;
    const rows = words.length / columns;
    const inOrder = byColumn(values, mask, { rows, columns });
    const stored = await unpack.keep('values', DataType.FLOAT16, [values.length], new Uint8Array(inOrder.buffer));
    const matrix = await unpack.spread(mask, [rows, columns], { values: stored, zero: Float16Array.of(0) });
    unpack.finish(matrix, tensorSize(tensor).dims, tensor.name);
    return size;
  };
}

/** Values that stand row by row where a mask is 1, column by column instead. */
function byColumn<Values extends Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>>(
  values: Values,
  mask: Uint8Array,
  { rows, columns }: { rows: number; columns: number },
): Values {
  const starts = new Uint32Array(columns + 1);
  forEachSet(mask, rows * columns, place => starts[(place % columns) + 1]!++);
  for (let column = 0; column < columns; column++) starts[column + 1]! += starts[column]!;
  const ordered = values.slice() as Values;
  forEachSet(mask, rows * columns, (place, index) => {
    ordered[starts[place % columns]!++] = values[index]!;
  });
  return ordered;
}

function isPaddedWith(zero: number, codes: Uint8Array, row: { padded: number; columns: number }): boolean {
  for (let start = 0; start < codes.length; start += row.padded) {
    for (let place = start + row.columns; place < start + row.padded; place++) if (codes[place] !== zero) return false;
  }
  return true;
}

/** Bytes of so many bits in whole pairs. */
function pairs(bits: number): number {
  return 2 * Math.ceil(bits / 16);
}

/** Float16 matrices that products read, each once. */
function findHalves(model: OnnxModel): StoredMatrix[] {
  const scopes = graphScopes(model);
  const index = indexDefinitions(scopes);
  const found = new Map<TensorProto, GraphScope>();
  for (const scope of scopes) {
    for (const product of scope.graph.node.filter(node => isStandard(node, 'MatMul'))) {
      let read = index.find(scope, product.input[1] ?? '');
      if (read?.kind === 'node' && isStandard(read.node, 'Cast'))
        read = index.find(read.scope, read.node.input[0] ?? '');
      if (read?.kind !== 'initializer' || read.tensor.dataType !== DataType.FLOAT16) continue;
      found.set(read.tensor, read.scope);
    }
  }
  return [...found].map(([tensor, scope]) => ({ tensor, scope }));
}

function requireSums(model: OnnxModel): void {
  const opset = standardOpset(model.proto);
  if (opset >= LEAST_OPSET) return;
  const message = `Sparse factors are put together by operators of opset ${LEAST_OPSET}; the model has ${opset}. Use --storage container or packed.`;
  throw new CompressionError('UNSUPPORTED_MODEL', message, { opset, limit: LEAST_OPSET });
}
