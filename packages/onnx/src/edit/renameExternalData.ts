import { modelTensors } from '../modelTensors.ts';
import type { OnnxModel } from '../onnxModel.ts';

/**
 * Gives the data files of a model other names, in place: the n-th file becomes `nameOf(n)`. Returns what became what, in the
 * order of first use; the files themselves are not touched.
 */
export function renameExternalData(
  model: OnnxModel,
  nameOf: (index: number) => string,
): { readonly from: string; readonly to: string }[] {
  const names = new Map<string, string>();
  for (const tensor of modelTensors(model.proto)) {
    for (const entry of tensor.externalData) {
      if (entry.key !== 'location') continue;
      const name = names.get(entry.value) ?? nameOf(names.size);
      names.set(entry.value, name);
      entry.value = name;
    }
  }
  return [...names].map(([from, to]) => ({ from, to }));
}
