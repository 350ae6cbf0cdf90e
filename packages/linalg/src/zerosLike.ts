/** `length` zeros in the precision of `like`. */
export function zerosLike<Data extends Float32Array | Float64Array>(like: Data, length: number): Data {
  return (like instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)) as Data;
}
