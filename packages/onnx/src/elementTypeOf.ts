import { DataType } from './dataType.ts';
import type { ValueInfoProto } from './generated/onnx_pb.js';

/** The declared element type of an input or output, UNDEFINED where it is no tensor or not told. */
export function elementTypeOf({ type }: ValueInfoProto): number {
  return (type?.value.case === 'tensorType' && type.value.value.elemType) || DataType.UNDEFINED;
}
