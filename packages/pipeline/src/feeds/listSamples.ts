import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { GraphInput } from './graphInputs.ts';
import { invalidFeeds } from './invalidFeeds.ts';

/** Where one sample lies: a JSON file, or .npy files by input name. */
export type SampleFiles =
  | { readonly kind: 'json'; readonly path: string }
  | { readonly kind: 'npy'; readonly path: string; readonly files: ReadonlyMap<string, string> };

/**
 * The samples of a folder of feeds, in the order of their names.
 *
 * Each sub-folder is a sample with one `name.npy` for each input, each .json file is a sample. The .npy files that lie in the
 * folder itself are one sample, named by input; where the model has a single input and no file is named after it, each of them
 * is a sample. A single .json or .npy file is a folder of one. Names that begin with a dot are left out.
 *
 * Errors: INVALID_FEEDS for a path that does not exist and for a folder without samples.
 */
export async function listSamples(path: string, inputs: readonly GraphInput[]): Promise<SampleFiles[]> {
  const information = await stat(path).catch(() => null);
  if (!information) throw invalidFeeds(path, 'there is no such file or folder.');
  if (information.isFile()) return nameSamples(path, [path], [], inputs);
  const names = await sortedNames(path);
  const folders: string[] = [];
  const files: string[] = [];
  for (const name of names) {
    const entry = await stat(join(path, name)).catch(() => null);
    if (entry?.isDirectory()) folders.push(join(path, name));
    else if (entry?.isFile()) files.push(join(path, name));
  }
  return nameSamples(path, files, folders, inputs);
}

async function nameSamples(
  path: string,
  files: readonly string[],
  folders: readonly string[],
  inputs: readonly GraphInput[],
): Promise<SampleFiles[]> {
  const arrays = files.filter(file => file.endsWith('.npy'));
  const samples: SampleFiles[] = [...directSamples(path, arrays, inputs)];
  for (const file of files.filter(file => file.endsWith('.json'))) samples.push({ kind: 'json', path: file });
  for (const folder of folders) {
    const own = (await sortedNames(folder)).filter(name => name.endsWith('.npy')).map(name => join(folder, name));
    if (own.length > 0) samples.push(sampleOf(folder, own));
  }
  if (samples.length === 0) {
    throw invalidFeeds(
      path,
      'holds no samples: put .json files there, or one sub-folder of .npy files for each sample.',
    );
  }
  return samples.sort((left, right) => (left.path < right.path ? -1 : 1));
}

/** What the .npy files beside each other are: one sample, or one each. */
function directSamples(path: string, arrays: readonly string[], inputs: readonly GraphInput[]): SampleFiles[] {
  if (arrays.length === 0) return [];
  const needed = inputs.filter(input => !input.isStored);
  const [only] = needed;
  const areNamed = arrays.some(file => inputs.some(input => input.name === inputName(file)));
  if (only && needed.length === 1 && !areNamed) {
    return arrays.map(file => ({ kind: 'npy', path: file, files: new Map([[only.name, file]]) }));
  }
  return [sampleOf(path, arrays)];
}

function sampleOf(path: string, files: readonly string[]): SampleFiles {
  return { kind: 'npy', path, files: new Map(files.map(file => [inputName(file), file])) };
}

function inputName(file: string): string {
  return basename(file).slice(0, -'.npy'.length);
}

async function sortedNames(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter(name => !name.startsWith('.')).sort();
}
