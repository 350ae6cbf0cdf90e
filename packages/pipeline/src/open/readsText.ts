import type { OnnxModel } from '@quern/onnx';

/** Whether a model is a text model, which a tokenizer can feed. */
export function readsText(model: OnnxModel): boolean {
  return (model.proto.graph?.input ?? []).some(({ name }) => name === 'input_ids');
}
