import { CompressionError, type SparseGridWeight, type SparseWeight } from '@quern/core';

/** A sparse matrix in the order of its transpose. */
export interface TurnedSparse {
  /** The mask, low bits first, in whole pairs of bytes. */
  readonly bits: Uint8Array<ArrayBuffer>;
  /** Float16 values, or codes one after the other, low bits first, in whole pairs of bytes. */
  readonly values: Float16Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
}

/**
 * Mask and values of a sparse matrix `[outFeatures, inFeatures]` as those of its transpose.
 *
 * @throws CompressionError INVALID_SHAPE when mask, values and scales do not fit each other or codes their grid; SOLVER_FAILED for a
 *   value or scale that float16 does not hold exactly.
 */
export function turnSparse(weight: SparseWeight | SparseGridWeight, weightName: string): TurnedSparse {
  const { outFeatures, inFeatures, mask } = weight;
  const given = weight.kind === 'sparse' ? weight.values : weight.codes;
  const starts = new Uint32Array(mask.length);
  let count = 0;
  for (let index = 0; index < mask.length; index++) {
    starts[index] = count;
    count += mask[index]!;
  }
  const badGrid =
    weight.kind === 'sparseGrid' &&
    (weight.scales.length !== outFeatures || weight.codes.some(code => code >>> weight.bits !== 0));
  if (mask.length !== outFeatures * inFeatures || count !== given.length || badGrid) {
    const message = `The sparse matrix for "${weightName}" has ${mask.length} places and ${given.length} values; [${outFeatures}, ${inFeatures}] with ${count} set takes ${outFeatures * inFeatures} and ${count}${badGrid ? ', codes within their bits and a scale an output' : ''}.`;
    throw new CompressionError('INVALID_SHAPE', message, { weight: weightName, outFeatures, inFeatures });
  }
  const bits = new Uint8Array(2 * Math.ceil(mask.length / 16));
  const order = new Uint32Array(count);
  let next = 0;
  for (let input = 0; input < inFeatures; input++) {
    for (let output = 0; output < outFeatures; output++) {
      const index = output * inFeatures + input;
      if (mask[index] === 0) continue;
      const place = input * outFeatures + output;
      bits[place >> 3]! |= 1 << (place & 7);
      order[next++] = starts[index]!;
    }
  }
  if (weight.kind === 'sparse') return { bits, values: toHalves(weight.values, weightName, order) };
  toHalves(weight.scales, weightName);
  return { bits, values: packInOrder(weight, order) };
}

function toHalves(values: Float32Array, weightName: string, order?: Uint32Array): Float16Array<ArrayBuffer> {
  const halves = new Float16Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const value = values[order ? order[index]! : index]!;
    halves[index] = value;
    if (halves[index] === value) continue;
    const message = `The sparse matrix for "${weightName}" holds ${value}, which float16 does not hold exactly. Its solver must round to float16.`;
    throw new CompressionError('SOLVER_FAILED', message, { weight: weightName, value });
  }
  return halves;
}

function packInOrder({ codes, bits }: SparseGridWeight, order: Uint32Array): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(2 * Math.ceil((codes.length * bits) / 16));
  for (const [index, from] of order.entries()) {
    const code = codes[from]!;
    for (let bit = 0; bit < bits; bit++) {
      const position = index * bits + bit;
      packed[position >> 3]! |= ((code >> bit) & 1) << (position & 7);
    }
  }
  return packed;
}
