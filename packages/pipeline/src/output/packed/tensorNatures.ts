import { DataType, findStoredCodes, type OnnxModel, type TensorProto } from '@quern/onnx';
import type { TensorNature } from './packTensor.ts';

/** Tells what the tensors of a written model are: codes of n-bit kernels by the nodes that read them, all others by their type. */
export function tensorNatures(model: OnnxModel): (tensor: TensorProto) => TensorNature {
  const layouts = new Map(findStoredCodes(model).map(({ tensor, layout }) => [tensor, layout]));
  return tensor => {
    const layout = layouts.get(tensor);
    return layout ? { kind: 'codes', layout } : natureOfNumbers(tensor);
  };
}

/** Floats in which a row and a column each have a common size; a single row or column is cut into lines of 16. */
function natureOfNumbers({ dataType, dims }: TensorProto): TensorNature {
  if (dataType !== DataType.FLOAT16 && dataType !== DataType.BFLOAT16) return { kind: 'other' };
  const count = dims.reduce((product, size) => product * Number(size), 1);
  if (count === 0) return { kind: 'other' };
  const last = Number(dims.at(-1) ?? 1);
  const columns = last > 1 && last < count ? last : count % 16 === 0 ? 16 : 1;
  return { kind: 'halves', rows: count / columns, columns };
}
