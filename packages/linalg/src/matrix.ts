/** A dense row-major matrix over one flat typed array: element (i, j) is `data[i * columns + j]`. */
export interface Matrix<Data extends Float32Array | Float64Array = Float32Array | Float64Array> {
  readonly rows: number;
  readonly columns: number;
  readonly data: Data;
}
