import type { OnnxModel } from '@quern/onnx';
import { hashFile } from './hashFile.ts';
import { dataFiles } from './openModel.ts';

/** What a written graph, at this path, and its data are: sha256 of each file. */
export async function hashGraph(
  path: string,
  model: OnnxModel,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  return Promise.all([path, ...dataFiles(model)].map(file => hashFile(file, signal)));
}
