import type { DecodeOptions, PackedModel } from './openPackedSource.ts';

/** What the session options of onnxruntime-web and onnxruntime-node take as `externalData`. */
export interface ExternalDataFile {
  readonly path: string;
  readonly data: Uint8Array<ArrayBuffer>;
}

/**
 * All data files of a packed model, for `InferenceSession.create(graph, { externalData })`. Progress counts over all files.
 *
 * Errors: those of decoding.
 */
export async function externalData(model: PackedModel, options: DecodeOptions = {}): Promise<ExternalDataFile[]> {
  const total = model.dataFiles.reduce((sum, file) => sum + file.bytes, 0);
  const files: ExternalDataFile[] = [];
  let before = 0;
  for (const { path, bytes } of model.dataFiles) {
    const start = before;
    const onProgress = options.onProgress && (({ loaded }: { loaded: number }) => report(start + loaded));
    files.push({ path, data: await model.decodeFile(path, { signal: options.signal, onProgress }) });
    before += bytes;
  }
  return files;

  function report(loaded: number): void {
    options.onProgress?.({ loaded, total });
  }
}
