import { lstat } from 'node:fs/promises';
import { type OnnxModel, readOnnxModel } from '@quern/onnx';

/** Files of this many bytes keep their weights on disk; smaller ones are read whole. */
const LARGE_FILE_BYTES = 64 * 2 ** 20;

/**
 * Reads a graph. The weights inside a large file stay there: sessions map them, and what is compressed reads them one by one.
 *
 * A link is read whole: its target may lie outside of the model's folder, where no weight may come from.
 * Errors: those of `readOnnxModel`.
 */
export async function readGraph(file: string): Promise<OnnxModel> {
  const information = await lstat(file).catch(() => null);
  const refers = information?.isFile() === true && information.size >= LARGE_FILE_BYTES;
  return readOnnxModel(file, { inlineTensors: refers ? 'refer' : 'keep' });
}
