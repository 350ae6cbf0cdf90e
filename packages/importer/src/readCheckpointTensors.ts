import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CompressionError } from '@quern/core';
import { readSafetensorsHeader, type StoredTensor } from './readSafetensorsHeader.ts';

/** The tensors of a checkpoint, one or several files. */
export interface CheckpointTensors {
  /** Folder that really holds the files, links followed: ONNX Runtime refuses external data that leaves its folder. */
  readonly folder: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

const SINGLE_FILE = 'model.safetensors';
const INDEX_FILE = 'model.safetensors.index.json';

/**
 * Lists the tensors of a Hugging Face folder: `model.safetensors`, else the shards of `model.safetensors.index.json`.
 *
 * @param folder the checkpoint's folder
 * @throws CompressionError `MODEL_NOT_FOUND` without either file; `INVALID_SAFETENSORS` for a broken index or file;
 * `MISSING_TENSOR` when a shard, or a tensor the index promises, is absent
 * Cost: one read of each header.
 */
export async function readCheckpointTensors(folder: string): Promise<CheckpointTensors> {
  if (await isFile(join(folder, SINGLE_FILE))) return readFiles(folder, [SINGLE_FILE]);
  if (!(await isFile(join(folder, INDEX_FILE)))) {
    throw new CompressionError(
      'MODEL_NOT_FOUND',
      `${folder} holds neither ${SINGLE_FILE} nor ${INDEX_FILE}. Weights in another form must be saved as safetensors first.`,
      { folder },
    );
  }
  const weightMap = await readWeightMap(join(folder, INDEX_FILE));
  const files = [...new Set(weightMap.values())];
  for (const file of files) {
    if (await isFile(join(folder, file))) continue;
    const names = [...weightMap].filter(([, shard]) => shard === file).map(([name]) => name);
    throw new CompressionError(
      'MISSING_TENSOR',
      `${file} is not in ${folder}; ${INDEX_FILE} puts ${names.length} tensors there, such as ${names[0]}. Download that shard.`,
      { folder, file, tensors: names.length },
    );
  }
  const found = await readFiles(folder, files);
  for (const [name, file] of weightMap) {
    if (found.tensors.has(name)) continue;
    throw new CompressionError(
      'MISSING_TENSOR',
      `${file} has no tensor ${name}, though ${INDEX_FILE} says so. Download index and shards of one revision.`,
      { folder, file, name },
    );
  }
  return found;
}

async function readFiles(folder: string, files: readonly string[]): Promise<CheckpointTensors> {
  const paths = await Promise.all(files.map(file => realpath(join(folder, file))));
  const realFolder = dirname(paths[0]!);
  const tensors = new Map<string, StoredTensor>();
  for (const path of paths) {
    if (dirname(path) !== realFolder) {
      throw new CompressionError(
        'INVALID_SAFETENSORS',
        `the shards lie in different folders, ${realFolder} and ${dirname(path)}. Put them, not links, into one folder.`,
        { folder, first: realFolder, other: dirname(path) },
      );
    }
    for (const tensor of await readSafetensorsHeader(path)) {
      const other = tensors.get(tensor.name);
      if (other) {
        throw new CompressionError(
          'INVALID_SAFETENSORS',
          `tensor ${tensor.name} is in both ${other.file} and ${basename(path)}. Download the checkpoint again.`,
          { name: tensor.name, first: other.file, second: basename(path) },
        );
      }
      tensors.set(tensor.name, tensor);
    }
  }
  return { folder: realFolder, tensors };
}

async function readWeightMap(path: string): Promise<ReadonlyMap<string, string>> {
  let index: unknown;
  try {
    index = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw invalidIndex(path, `it is not JSON (${cause instanceof Error ? cause.message : String(cause)})`);
  }
  const weightMap = index instanceof Object && 'weight_map' in index ? index.weight_map : undefined;
  if (!(weightMap instanceof Object) || Array.isArray(weightMap)) {
    throw invalidIndex(path, 'it has no object weight_map');
  }
  const entries = Object.entries(weightMap);
  if (entries.length === 0) throw invalidIndex(path, 'its weight_map is empty');
  for (const [name, file] of entries) {
    if (typeof file !== 'string' || !/^[^/\\]+\.safetensors$/.test(file)) {
      throw invalidIndex(
        path,
        `tensor ${name} is in ${JSON.stringify(file)}, wanted a .safetensors file of the same folder`,
      );
    }
  }
  return new Map(entries);
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    status => status.isFile(),
    () => false,
  );
}

function invalidIndex(path: string, what: string): CompressionError {
  return new CompressionError('INVALID_SAFETENSORS', `${path}: ${what}. Download the index again.`, { path });
}
