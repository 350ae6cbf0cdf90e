import { CompressionError } from '@quern/core';
import { DataType, dataTypeName } from '../dataType.ts';

/** Raw little-endian bytes of float32 values in another float type, rounded to nearest, ties to even. */
export function encodeFloats(values: Float32Array<ArrayBuffer>, dataType: number): Uint8Array<ArrayBuffer> {
  switch (dataType) {
    case DataType.FLOAT:
      return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    case DataType.FLOAT16:
      return new Uint8Array(new Float16Array(values).buffer);
    case DataType.DOUBLE:
      return new Uint8Array(new Float64Array(values).buffer);
    case DataType.BFLOAT16:
      return new Uint8Array(toBfloat16(values).buffer);
    default:
      throw new CompressionError('INTERNAL', `No encoding of floats as ${dataTypeName(dataType)}.`);
  }
}

function toBfloat16(values: Float32Array<ArrayBuffer>): Uint16Array<ArrayBuffer> {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(words.length);
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    // Adding half a step carries into the upper half where the value rounds up; NaN must not carry into infinity.
    const isNan = (word & 0x7fffffff) > 0x7f800000;
    halves[index] = isNan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return halves;
}
