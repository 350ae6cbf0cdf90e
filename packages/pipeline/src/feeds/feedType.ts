import { DataType } from '@quern/onnx';
import type { PlainTensor } from '@quern/runtime';

/** Element types that feeds can have, by ONNX Runtime's name. */
export type FeedType = PlainTensor['type'];

interface TypeFacts {
  readonly dataType: number;
  readonly bytes: number;
  /** How a .npy header spells it on a little-endian machine; the first is what messages suggest. */
  readonly descriptors: readonly string[];
  /** numpy's name. */
  readonly numpy: string;
}

/** What is known of every element type that feeds can have. */
export const feedTypes: Readonly<Record<FeedType, TypeFacts>> = {
  float32: { dataType: DataType.FLOAT, bytes: 4, descriptors: ['<f4'], numpy: 'float32' },
  float64: { dataType: DataType.DOUBLE, bytes: 8, descriptors: ['<f8'], numpy: 'float64' },
  float16: { dataType: DataType.FLOAT16, bytes: 2, descriptors: ['<f2'], numpy: 'float16' },
  int64: { dataType: DataType.INT64, bytes: 8, descriptors: ['<i8'], numpy: 'int64' },
  int32: { dataType: DataType.INT32, bytes: 4, descriptors: ['<i4'], numpy: 'int32' },
  uint8: { dataType: DataType.UINT8, bytes: 1, descriptors: ['|u1', '<u1'], numpy: 'uint8' },
  int8: { dataType: DataType.INT8, bytes: 1, descriptors: ['|i1', '<i1'], numpy: 'int8' },
  bool: { dataType: DataType.BOOL, bytes: 1, descriptors: ['|b1', '<b1'], numpy: 'bool' },
};

/** The feed type of an ONNX element type; null for those that feeds cannot have. */
export function feedTypeOf(dataType: number): FeedType | null {
  const entry = Object.entries(feedTypes).find(([, facts]) => facts.dataType === dataType);
  return entry ? (entry[0] as FeedType) : null;
}

/** A tensor's elements over bytes that were read from a file; the buffer is taken over, not copied. */
export function viewElements(type: FeedType, buffer: ArrayBuffer): PlainTensor['data'] {
  switch (type) {
    case 'float32':
      return new Float32Array(buffer);
    case 'float64':
      return new Float64Array(buffer);
    case 'float16':
      return new Uint16Array(buffer);
    case 'int64':
      return new BigInt64Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'int8':
      return new Int8Array(buffer);
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer);
  }
}
