import type { Matrix } from '@quern/linalg';

/** The weight with the columns of some inputs set to 0; the weight itself when there are none. */
export function withoutInputs(weight: Matrix<Float32Array>, inputs: readonly number[]): Matrix<Float32Array> {
  if (inputs.length === 0) return weight;
  const data = weight.data.slice();
  for (const input of inputs) {
    for (let index = input; index < data.length; index += weight.columns) data[index] = 0;
  }
  return { ...weight, data };
}
