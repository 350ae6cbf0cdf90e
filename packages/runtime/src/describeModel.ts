import type { OnnxModel } from '@quern/onnx';

/** How messages name a model: an `OnnxModel` knows its folder and its graph's name, not its file. */
export function describeModel(model: OnnxModel): string {
  const name = model.proto.graph?.name;
  return name ? `the model "${name}" in ${model.folder}` : `the model in ${model.folder}`;
}
