/** A value that float64 holds and float16 rounds to 0. */
export const PLACEHOLDER = 1e-300;

/** Values whose zeros where `support` is not 0 are the smallest of numbers, so that they keep their place; a copy. */
export function keepPlaces(values: Float64Array, support: Float64Array): Float64Array {
  return values.map((value, index) => (value === 0 && support[index] !== 0 ? PLACEHOLDER : value));
}
