import { CompressionError } from '@quern/core';
import { type InferenceSession, Tensor } from 'onnxruntime-node';

type TensorInput = Extract<InferenceSession.ValueMetadata, { readonly isTensor: true }>;

/** True for the inputs that carry the state of earlier tokens: `past_key_values.0.key`, `past_0`, `past_conv.0`. */
export function isPast(name: string): boolean {
  return name.startsWith('past');
}

/**
 * The state before the first token: the declared shape with the batch filled in and no tokens (`past_sequence_length` = 0).
 * States of a fixed size, as short convolutions keep, are zeros.
 *
 * Errors: UNSUPPORTED_MODEL for element types other than float32 and float16.
 */
export function emptyPast(input: TensorInput, rows: number): Tensor {
  const named = input.shape.some(size => typeof size === 'string' && size.includes('batch'));
  const dims = input.shape.map((size, axis) => {
    if (typeof size === 'number') return size;
    return (named ? size.includes('batch') : axis === 0) ? rows : 0;
  });
  const count = dims.reduce((product, size) => product * size, 1);
  if (input.type === 'float32') return new Tensor('float32', new Float32Array(count), dims);
  if (input.type === 'float16') return new Tensor('float16', new Uint16Array(count), dims);
  throw new CompressionError(
    'UNSUPPORTED_MODEL',
    `The cache input "${input.name}" holds ${input.type}; float32 and float16 caches can be run.`,
    { input: input.name, type: input.type },
  );
}
