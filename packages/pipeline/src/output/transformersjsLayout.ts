import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transformersjsDtypes } from '../open/transformersjsDtypes.ts';
import { copyCompanions } from './copyCompanions.ts';
import { limitContext } from './limitContext.ts';

/** The dtype under which transformers.js finds a graph whose widest solved container has this many bits (null: nothing solved). */
export function transformersjsDtype(widestContainer: number | null, dtype: 'fp32' | 'fp16'): string {
  if (widestContainer === null) return dtype;
  if (widestContainer === 8) return 'q8'; // there is no half-precision name for 8 bits
  return `q${widestContainer}${dtype === 'fp16' ? 'f16' : ''}`;
}

/** The graph's file name for a dtype, `model_q4.onnx`. */
export function transformersjsGraphName(dtype: string): string {
  return `model${transformersjsDtypes[dtype]}.onnx`;
}

export interface LayoutRequest {
  /** Folder with the tokenizer and config.json of the source, null when there is none. */
  readonly source: string | null;
  readonly target: string;
  readonly dtype: string;
  /** Positions that the graph has; null where it is not known. */
  readonly contextLength: number | null;
  /** External-data files beside the graph. */
  readonly chunkCount: number;
}

/** Writes everything around the graph: companions of the source, and config.json with the defaults a client needs. */
export async function writeTransformersjsLayout(request: LayoutRequest): Promise<void> {
  if (request.source === null) return;
  await copyCompanions(request.source, request.target);
  if (!(await stat(join(request.source, 'config.json')).catch(() => null))) return;
  const original = JSON.parse(await readFile(join(request.source, 'config.json'), 'utf8')) as Record<string, unknown>;
  const config = { ...limitContext(original, request.contextLength) };
  const settings = (config['transformers.js_config'] ?? {}) as Record<string, unknown>;
  config['transformers.js_config'] = {
    ...settings,
    dtype: request.dtype,
    use_external_data_format: { [transformersjsGraphName(request.dtype)]: request.chunkCount },
  };
  await writeFile(join(request.target, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
}
