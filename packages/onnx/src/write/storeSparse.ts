import { CompressionError, type SparseWeight } from '@quern/core';
import { inlineInitializer, int64Initializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { DataType } from '../dataType.ts';
import type { ActivationType, WeightPlace } from './graphPiece.ts';
import type { StoredFactor } from './storeFactor.ts';

/**
 * Stores a sparse matrix as a bit mask and float16 values, in the order of `[inFeatures, outFeatures]` that MatMul reads, with the
 * standard operators that put it together; the session folds these once at load and then multiplies by a dense matrix.
 *
 * The mask is padded to whole pairs of bytes. @throws CompressionError INVALID_SHAPE when mask and values do not fit each other,
 * SOLVER_FAILED for a value that float16 does not hold exactly.
 * Cost: one pass. At load 24 bytes a place for a moment, then 4 (2 in a float16 graph).
 */
export async function storeSparse(
  weight: SparseWeight,
  activationType: ActivationType,
  place: WeightPlace,
): Promise<StoredFactor> {
  const { store, names, weightName } = place;
  const { outFeatures, inFeatures } = weight;
  const { bits, halves } = turn(weight, weightName);
  const mask = await store.add(names.take(`${weightName}_mask`), DataType.UINT8, [bits.length], bits);
  const values = await store.add(
    names.take(`${weightName}_values`),
    DataType.FLOAT16,
    [halves.length],
    new Uint8Array(halves.buffer),
  );
  const take = (suffix: string): string => names.take(`${weightName}_${suffix}`);
  const powers = inlineInitializer(
    take('powers'),
    DataType.INT32,
    [8],
    new Uint8Array(Int32Array.from({ length: 8 }, (_, bit) => 2 ** bit).buffer),
  );
  const two = inlineInitializer(take('two'), DataType.INT32, [1], new Uint8Array(Int32Array.of(2).buffer));
  const column = int64Initializer(take('column'), [-1, 1]);
  const flat = int64Initializer(take('flat'), [-1]);
  const length = int64Initializer(take('length'), [outFeatures * inFeatures]);
  const shape = int64Initializer(take('shape'), [inFeatures, outFeatures]);
  const nodes: StoredFactor['nodes'] = [];
  const apply = (type: string, inputs: string[], suffix: string, to?: number): string => {
    const output = take(suffix);
    const attributes = to === undefined ? {} : { to: { int: to } };
    nodes.push(node(type, inputs, [output], { name: `${output}/${type}`, attributes }));
    return output;
  };
  const bytes = apply('Cast', [mask.name], 'bytes', DataType.INT32);
  const rows = apply('Reshape', [bytes, column.name], 'rows');
  const shifted = apply('Div', [rows, powers.name], 'shifted');
  const bitRows = apply('Mod', [shifted, two.name], 'bits');
  const places = apply('Reshape', [bitRows, flat.name], 'places');
  const found = apply('NonZero', [places], 'found');
  const indices = apply('Reshape', [found, column.name], 'indices');
  const zeros = apply('ConstantOfShape', [length.name], 'zeros');
  const wide = apply('Cast', [values.name], 'f32', DataType.FLOAT);
  const scattered = apply('ScatterND', [zeros, indices, wide], 'scattered');
  let matrix = apply('Reshape', [scattered, shape.name], 'dense');
  if (activationType === 'float16') matrix = apply('Cast', [matrix], 'f16', DataType.FLOAT16);
  return {
    nodes,
    initializers: [mask, values, powers, two, column, flat, length, shape],
    product: ({ input, output, nodeName, names: nodeNames }) =>
      node('MatMul', [input, matrix], [output], { name: nodeNames.take(`${nodeName}_sparse`) }),
  };
}

/** Bits, the low ones first, and values in the order of the transposed matrix. */
function turn(weight: SparseWeight, weightName: string): { bits: Uint8Array; halves: Float16Array<ArrayBuffer> } {
  const { outFeatures, inFeatures, mask, values } = weight;
  const starts = new Uint32Array(mask.length);
  let count = 0;
  for (let index = 0; index < mask.length; index++) {
    starts[index] = count;
    count += mask[index]!;
  }
  if (mask.length !== outFeatures * inFeatures || count !== values.length) {
    const message = `The sparse matrix for "${weightName}" has ${mask.length} places and ${values.length} values; [${outFeatures}, ${inFeatures}] with ${count} set takes ${outFeatures * inFeatures} and ${count}.`;
    throw new CompressionError('INVALID_SHAPE', message, { weight: weightName, outFeatures, inFeatures });
  }
  const bits = new Uint8Array(2 * Math.ceil(mask.length / 16));
  const halves = new Float16Array(count);
  let next = 0;
  for (let input = 0; input < inFeatures; input++) {
    for (let output = 0; output < outFeatures; output++) {
      const index = output * inFeatures + input;
      if (mask[index] === 0) continue;
      const place = input * outFeatures + output;
      bits[place >> 3]! |= 1 << (place & 7);
      const value = values[starts[index]!]!;
      halves[next] = value;
      if (halves[next++] === value) continue;
      const message = `The sparse matrix for "${weightName}" holds ${value}, which float16 does not hold exactly. Its solver must round to float16.`;
      throw new CompressionError('SOLVER_FAILED', message, { weight: weightName, value });
    }
  }
  return { bits, halves };
}
