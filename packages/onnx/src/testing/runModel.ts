import { InferenceSession, type Tensor } from 'onnxruntime-node';
import type { OnnxModel } from '../onnxModel.ts';
import { serializeModel } from '../write/serializeModel.ts';

/** Runs a model once on the CPU, header from memory, external data from its folder. For tests. */
export async function runModel(
  model: OnnxModel,
  feeds: Readonly<Record<string, Tensor>>,
  outputs?: readonly string[],
): Promise<Record<string, Tensor>> {
  const session = await InferenceSession.create(serializeModel(model), {
    intraOpNumThreads: 1,
    extra: { session: { model_external_initializers_file_folder_path: model.folder } },
  });
  try {
    const results = outputs ? await session.run(feeds, outputs) : await session.run(feeds);
    return { ...results } as Record<string, Tensor>;
  } finally {
    await session.release();
  }
}
