import type { OnnxModel } from '../onnxModel.ts';

/** A copy of a model's header that can be edited on its own. Bytes of tensors are shared: nothing edits them in place. */
export function cloneModel(model: OnnxModel): OnnxModel {
  return { proto: copy(model.proto), folder: model.folder };
}

/** Copies plain messages; a message keeps its prototype, which holds the defaults of absent fields. */
function copy<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map(copy) as Value;
  const target = Object.create(Object.getPrototypeOf(value)) as Record<string, unknown>;
  for (const [key, entry] of Object.entries(value)) target[key] = copy(entry);
  return target as Value;
}
