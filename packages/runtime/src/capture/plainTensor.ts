/** A tensor outside any session: it can be kept, written to a file, handed to a thread. */
export interface PlainTensor {
  /** ONNX Runtime's name of the element type; float16 is held as its bits. */
  readonly type: 'float32' | 'float16' | 'int64' | 'int32' | 'uint8' | 'int8' | 'bool' | 'float64';
  readonly dims: readonly number[];
  readonly data: Float32Array | Float64Array | Uint16Array | Int32Array | Uint8Array | Int8Array | BigInt64Array;
}

export type NamedTensors = Readonly<Record<string, PlainTensor>>;
