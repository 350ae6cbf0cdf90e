import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  hubSettings,
  isHubModel,
  listTextSets,
  loadTextSet,
  type PulledManifest,
  pullDataSet,
  pulledProblems,
  pulledTexts,
  pullModel,
} from '@quern/calibration';
import { CompressionError } from '@quern/core';
import type { Emit } from './events.ts';
import { calibDataFolder } from './open/calibDataFolder.ts';
import { textSetFolder } from './open/textSetFolder.ts';

export interface DataSetPart {
  readonly part: 'calibration' | 'evaluation' | 'problems';
  readonly bytes: number;
  readonly documents: number;
  readonly sha256: string;
}

export interface DataSetListing {
  readonly id: string;
  readonly title: string;
  readonly licence: string;
  readonly parts: readonly DataSetPart[];
}

const BEGINNING = 600;

/** The sets that come with Quern, then those that were pulled. */
export async function listData(): Promise<DataSetListing[]> {
  const settings = hubSettings();
  const texts = [...(await listTextSets(calibDataFolder())), ...(await listTextSets(pulledTexts(settings)))];
  const ofTexts = texts.map(({ id, title, licence, parts }) => ({
    id,
    title,
    licence,
    parts: (['calibration', 'evaluation'] as const).map(part => ({
      part,
      bytes: parts[part].bytes,
      documents: parts[part].documents,
      sha256: parts[part].sha256,
    })),
  }));
  const folder = pulledProblems(settings);
  const names = (await readdir(folder).catch(() => [])).sort();
  const ofProblems = names.map(async name => {
    const manifest = JSON.parse(await readFile(join(folder, name, 'manifest.json'), 'utf8')) as PulledManifest;
    const { bytes, documents, sha256 } = manifest.parts.problems!;
    const parts = [{ part: 'problems' as const, bytes, documents, sha256 }];
    return { id: manifest.id, title: manifest.title, licence: manifest.licence, parts };
  });
  return [...ofTexts, ...(await Promise.all(ofProblems))];
}

export interface PullRequest {
  /** A set's name, or `hf:organisation/name`. */
  readonly name: string;
  readonly revision?: string | undefined;
  readonly force?: boolean | undefined;
}

export interface PullResult {
  readonly name: string;
  readonly commit: string;
  readonly folder: string;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
}

/** Downloads a set or a checkpoint into the cache. Errors: those of `pullDataSet` and `pullModel`. */
export async function pullData(
  { name, revision, force }: PullRequest,
  { emit, signal }: { readonly emit: Emit; readonly signal?: AbortSignal | undefined },
): Promise<PullResult> {
  let current = '';
  const onProgress = (file: string, done: number, total: number): void => {
    if (file !== current) emit({ kind: 'stage', stage: 'download', detail: file });
    current = file;
    emit({ kind: 'progress', stage: 'download', done, total, unit: 'bytes' });
  };
  const options = { revision, force, signal, onProgress };
  if (isHubModel(name)) {
    const { commit, folder, files } = await pullModel(name, hubSettings(), options);
    return { name, commit, folder, files };
  }
  const { manifest, folder } = await pullDataSet(name, hubSettings(), options);
  return { name, commit: manifest.commit, folder, files: manifest.files };
}

/** One set and the first lines of its evaluation part, its files checked against the manifest. */
export async function showData(id: string): Promise<{ set: DataSetListing; beginning: string }> {
  const sets = await listData();
  const set = sets.find(candidate => candidate.id === id);
  if (!set) {
    const known = sets.map(candidate => candidate.id).join(', ');
    throw new CompressionError('INVALID_DATA_SET', `There is no set "${id}": known are ${known}.`, { id });
  }
  if (set.parts.some(({ part }) => part === 'problems')) {
    const content = await readFile(join(pulledProblems(hubSettings()), id, 'problems.jsonl'), 'utf8');
    return { set, beginning: `${content.slice(0, BEGINNING)}...` };
  }
  const folder = await textSetFolder(id);
  await loadTextSet(id, 'calibration', folder);
  const text = await loadTextSet(id, 'evaluation', folder);
  const beginning = text.documents[0] ?? '';
  return { set, beginning: beginning.length > BEGINNING ? `${beginning.slice(0, BEGINNING)}...` : beginning };
}
