import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { hubSettings, isHubModel, pullModel } from '@quern/calibration';
import { CompressionError } from '@quern/core';
import { importCheckpoint, needsBos } from '@quern/importer';
import { modelTensors, type OnnxModel } from '@quern/onnx';
import { packedBeside } from './packedBeside.ts';
import { readGraph } from './readGraph.ts';
import { transformersjsDtypes } from './transformersjsDtypes.ts';
import { unpackTemporarily } from './unpackTemporarily.ts';

/** What the text side of a model needs to know of its config.json. */
export interface TextConfig {
  readonly bosTokenId: number | null;
  /** Whether every window of a text must begin with it. */
  readonly bosEverywhere: boolean;
  readonly eosTokenIds: readonly number[];
  /** Longest input in tokens; null when nothing tells. */
  readonly contextLength: number | null;
}

/** A model that can be run, wherever it came from. */
export interface OpenedModel {
  readonly kind: 'checkpoint' | 'onnx';
  /** What the user named. */
  readonly path: string;
  readonly model: OnnxModel;
  /** Files that make up the graph and its data, absolute. */
  readonly files: readonly string[];
  /** Folder with tokenizer.json and config.json, null when none was named or found. */
  readonly tokenizerFolder: string | null;
  /** Null when there is no config.json beside the tokenizer. */
  readonly text: TextConfig | null;
}

export interface OpenOptions {
  /** Folder with the tokenizer, for `.onnx` files. */
  readonly tokenizer?: string | undefined;
  /** Arithmetic of the graph made from a checkpoint. */
  readonly dtype?: 'fp32' | 'fp16' | undefined;
}

/**
 * Opens a Hugging Face folder, an `.onnx` file, or a folder in transformers.js or genai layout. A folder with safetensors and
 * an onnx/ beside them is opened as the checkpoint. A packed graph is unpacked into a temporary folder first. `hf:organisation/name`
 * is downloaded into the cache, unless it is there.
 *
 * Errors: MODEL_NOT_FOUND; those of `pullModel`, of the importer and of the ONNX reader.
 */
export async function openModel(path: string, options: OpenOptions = {}): Promise<OpenedModel> {
  const absolute = isHubModel(path) ? (await pullModel(path, hubSettings())).folder : resolve(path);
  const information = await stat(absolute).catch(() => null);
  if (!information) {
    throw new CompressionError('MODEL_NOT_FOUND', `No model at ${path}: there is no such file or folder.`, { path });
  }
  if (information.isFile()) {
    if (!absolute.endsWith('.onnx')) {
      throw new CompressionError(
        'MODEL_NOT_FOUND',
        `${path} is not a model: expected a folder with config.json and safetensors, or a file that ends in .onnx.`,
        { path },
      );
    }
    return openOnnx(path, absolute, options.tokenizer);
  }
  const names = new Set(await readdir(absolute));
  const graph = await graphInFolder(path, absolute, names);
  if (graph) return openOnnx(path, graph, options.tokenizer ?? absolute);
  if (!names.has('config.json')) {
    throw new CompressionError(
      'MODEL_NOT_FOUND',
      `${path} holds no model: expected config.json with safetensors, or a folder onnx/ with a graph${
        names.size === 0 ? ' (the folder is empty)' : ''
      }.`,
      { path },
    );
  }
  const { model, config } = await importCheckpoint(absolute, { dtype: options.dtype ?? 'fp32' });
  return {
    kind: 'checkpoint',
    path,
    model,
    files: dataFiles(model),
    tokenizerFolder: options.tokenizer ? resolve(options.tokenizer) : absolute,
    text: {
      bosTokenId: config.bosTokenId,
      bosEverywhere: needsBos(config.modelType),
      eosTokenIds: config.eosTokenIds,
      contextLength: config.contextLength,
    },
  };
}

async function openOnnx(path: string, file: string, tokenizer: string | undefined): Promise<OpenedModel> {
  const packed = await packedBeside(file);
  const model = await readGraph(packed ? await unpackTemporarily(file, packed) : file);
  const folder = dirname(file);
  const tokenizerFolder = tokenizer ? resolve(tokenizer) : await findTokenizer([folder, dirname(folder)]);
  return {
    kind: 'onnx',
    path,
    model,
    files: [file, ...(packed ? [packed] : dataFiles(model).filter(path => path !== file))], // a large graph holds its own weights
    tokenizerFolder,
    text: tokenizerFolder ? await readTextConfig(tokenizerFolder) : null,
  };
}

/** The files that hold a model's external data, sorted. */
export function dataFiles({ proto, folder }: OnnxModel): string[] {
  const paths = new Set<string>();
  for (const tensor of modelTensors(proto)) {
    const location = tensor.externalData.find(entry => entry.key === 'location')?.value;
    if (location) paths.add(join(folder, location));
  }
  return [...paths].sort();
}

async function findTokenizer(folders: readonly string[]): Promise<string | null> {
  for (const folder of folders) {
    if (await stat(join(folder, 'tokenizer.json')).catch(() => null)) return folder;
  }
  return null;
}

/** The graph of a folder in transformers.js or genai layout; null for a checkpoint. */
async function graphInFolder(path: string, folder: string, names: ReadonlySet<string>): Promise<string | null> {
  if (names.has('genai_config.json')) {
    const config = await readJson(join(folder, 'genai_config.json'));
    const model = config.model as { decoder?: { filename?: string } } | undefined;
    return join(folder, basename(model?.decoder?.filename ?? 'model.onnx'));
  }
  if (!names.has('onnx') || isPublished(names)) return null;
  const graphs = (await readdir(join(folder, 'onnx'))).filter(name => name.endsWith('.onnx')).sort();
  if (graphs.length === 0) return null;
  if (graphs.length === 1) return join(folder, 'onnx', graphs[0]!);
  const config = names.has('config.json') ? await readJson(join(folder, 'config.json')) : {};
  const dtype = (config['transformers.js_config'] as { dtype?: unknown } | undefined)?.dtype;
  const preferred = typeof dtype === 'string' ? `model${transformersjsDtypes[dtype] ?? ''}.onnx` : null;
  if (preferred && graphs.includes(preferred)) return join(folder, 'onnx', preferred);
  throw new CompressionError(
    'MODEL_NOT_FOUND',
    `${path} holds ${graphs.length} graphs (${graphs.join(', ')}) and no default: name one of the files in ${path}/onnx.`,
    { path, graphs },
  );
}

/** Whether a folder holds a checkpoint as it was published, perhaps with exports of it in onnx/. */
function isPublished(names: ReadonlySet<string>): boolean {
  const isSharded = names.has('model.safetensors.index.json') && [...names].some(name => name.endsWith('.safetensors'));
  const hasWeights = names.has('model.safetensors') || isSharded;
  return hasWeights && names.has('config.json') && !names.has('quern.json');
}

async function readTextConfig(folder: string): Promise<TextConfig | null> {
  const files = [join(folder, 'config.json'), join(folder, 'genai_config.json')];
  const isThere = await Promise.all(files.map(file => stat(file).catch(() => null)));
  const file = files.find((_, index) => isThere[index]);
  if (!file) return null;
  const content = await readJson(file);
  const isGenai = file === files[1];
  const config = isGenai ? ((content.model ?? {}) as Record<string, unknown>) : content;
  const eos = config.eos_token_id;
  const context = isGenai ? config.context_length : config.max_position_embeddings;
  return {
    bosTokenId: typeof config.bos_token_id === 'number' ? config.bos_token_id : null,
    bosEverywhere: needsBos(isGenai ? config.type : config.model_type),
    eosTokenIds: typeof eos === 'number' ? [eos] : Array.isArray(eos) ? eos.filter(id => typeof id === 'number') : [],
    contextLength: typeof context === 'number' ? context : null,
  };
}

async function readJson(file: string): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw new CompressionError('INVALID_CONFIG', `${file} is not valid JSON: ${(error as Error).message}`, { file });
  }
  throw new CompressionError('INVALID_CONFIG', `${file} is not a JSON object.`, { file });
}
