/** 1 where a value is not 0. */
export function nonzerosOf(values: Float32Array | Float64Array): Uint8Array {
  const mask = new Uint8Array(values.length);
  for (let index = 0; index < values.length; index++) mask[index] = Number(values[index] !== 0);
  return mask;
}
