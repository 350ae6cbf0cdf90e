import { Tensor } from 'onnxruntime-node';

/** A float32 tensor for a feed. */
export function floatTensor(values: Float32Array<ArrayBuffer>, dims: readonly number[]): Tensor {
  return new Tensor('float32', values, dims);
}

/** A float16 tensor for a feed. */
export function halfTensor(values: Float32Array<ArrayBuffer>, dims: readonly number[]): Tensor {
  const bits = new Uint16Array(Float16Array.from(values).buffer);
  const tensor = new Tensor('float16', bits, dims);
  // The tensor turns its data into a Float16Array, which the native side of onnxruntime-node 1.30 cannot read.
  return Object.assign(tensor, { cpuData: bits });
}

/** An int64 tensor for a feed. */
export function idTensor(values: readonly number[], dims: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values.map(BigInt)), dims);
}

/** A result's values as plain numbers. */
export function valuesOf(tensor: Tensor | undefined): number[] {
  return Array.from(tensor!.data as Float32Array, Number);
}
