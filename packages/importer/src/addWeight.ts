import { DataType, externalInitializer } from '@quern/onnx';
import type { FloatType, GraphDraft } from './graphDraft.ts';
import type { StoredTensor } from './readSafetensorsHeader.ts';

const DATA_TYPES: Readonly<Record<string, number>> = {
  F32: DataType.FLOAT,
  F16: DataType.FLOAT16,
  BF16: DataType.BFLOAT16,
};

/**
 * Declares a stored tensor as initializer whose bytes stay in the safetensors file, and casts it to `type` where
 * the file holds another; ONNX Runtime folds that once, at load.
 *
 * @param name the initializer's
 * @param type the compute type unless given
 * @returns the name of the value in that type
 */
export function addWeight(
  draft: GraphDraft,
  tensor: StoredTensor,
  name: string,
  type: FloatType = draft.computeType,
): string {
  const dataType = DATA_TYPES[tensor.dtype]!;
  draft.initializers.push(
    externalInitializer({
      name,
      dataType,
      dims: tensor.shape,
      location: tensor.file,
      offset: tensor.offsetBytes,
      length: tensor.sizeBytes,
    }),
  );
  if (dataType === type) return name;
  return draft.add(`${name}/Cast`, 'Cast', [name], { attributes: { to: { int: type } } });
}
