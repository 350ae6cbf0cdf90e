import { createHash } from 'node:crypto';
import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type InputStatistics, type LinearSite, mergeStatistics, type TokenWindow } from '@quern/core';
import { describeProblems } from '@quern/solvers';
import { hashWindows } from '../open/textContent.ts';
import { jobKey } from '../solve/jobKey.ts';
import { invalidStatistics } from './invalidStatistics.ts';
import {
  inputFileBytes,
  STATISTICS_FILE,
  type StatisticsManifest,
  statisticsManifestSchema,
  TOKENS_FILE,
} from './statisticsManifest.ts';

/** Captures that are used together, in the order in which they were named. */
export interface StoredStatistics {
  readonly captures: readonly { readonly folder: string; readonly manifest: StatisticsManifest }[];
  /** One hash of all of them. */
  readonly sha256: string;
  /** Those of all texts; none for feeds. */
  readonly windows: readonly TokenWindow[];
  /** The sum over the captures for a site's input; null when they do not hold it. */
  read(site: Pick<LinearSite, 'inputName' | 'inFeatures'>): Promise<InputStatistics | null>;
}

/** What statistics must be made from. */
export interface StatisticsOrigin {
  readonly graph: string;
  /** sha256 of the model's files. */
  readonly sources: readonly string[];
}

const LARGEST_MANIFEST = 64e6;
const LARGEST_TOKENS = 2 ** 31;

/**
 * Opens captured statistics for one model. Manifests, sizes and tokens are checked here, the inputs' files when they are read: their
 * sizes before memory is allocated, their sums before they are used.
 *
 * Errors: INVALID_STATISTICS for a folder that holds none, for another model or arithmetic, for a text that is there twice,
 * for captures of different inputs, and for files that are not what their manifest says.
 */
export async function openStatistics(folders: readonly string[], origin: StatisticsOrigin): Promise<StoredStatistics> {
  const captures: { folder: string; manifest: StatisticsManifest }[] = [];
  const windows: TokenWindow[] = [];
  for (const folder of folders) {
    const manifest = await readManifest(folder);
    checkModel(folder, manifest, origin);
    const twin = captures.find(one => contentOf(one.manifest) === contentOf(manifest));
    if (twin) {
      throw invalidStatistics(folder, `are of the same text as those in ${twin.folder}`, 'Name each capture once');
    }
    windows.push(...(await readWindows(folder, manifest)));
    captures.push({ folder, manifest });
  }
  checkSameInputs(captures);
  return {
    captures,
    sha256: jobKey(captures.map(({ manifest }) => jobKey(manifest.inputs.map(input => input.sha256)))),
    windows,
    async read({ inputName, inFeatures }) {
      let merged: InputStatistics | null = null;
      for (const { folder, manifest } of captures) {
        const input = manifest.inputs.find(candidate => candidate.name === inputName);
        if (!input) return null;
        if (input.inFeatures !== inFeatures) {
          throw invalidStatistics(folder, `give ${inputName} ${input.inFeatures} inputs; the model has ${inFeatures}`);
        }
        const own = await readInput(folder, input);
        merged = merged ? mergeStatistics(merged, own) : own;
      }
      return merged;
    },
  };
}

async function readManifest(folder: string): Promise<StatisticsManifest> {
  const path = join(folder, STATISTICS_FILE);
  const size = await fileSize(path);
  if (size === null) {
    throw invalidStatistics(
      folder,
      `are not there: it holds no ${STATISTICS_FILE}`,
      'quern capture writes such a folder',
    );
  }
  if (size > LARGEST_MANIFEST) throw invalidStatistics(folder, `have a ${STATISTICS_FILE} of ${size} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw invalidStatistics(folder, `have a ${STATISTICS_FILE} that is not JSON (${(error as Error).message})`);
  }
  const result = statisticsManifestSchema.safeParse(value);
  if (result.success) return result.data;
  const problems = describeProblems(statisticsManifestSchema, result.error, value);
  throw invalidStatistics(folder, `have a ${STATISTICS_FILE} that is not valid: ${problems.slice(0, 3).join('; ')}`);
}

function checkModel(folder: string, { model }: StatisticsManifest, { graph, sources }: StatisticsOrigin): void {
  const files = model.files.map(file => file.sha256);
  if (jobKey(files) !== jobKey(sources)) {
    throw invalidStatistics(folder, 'are of another model: its files have other sums', 'Capture this model');
  }
  if (model.graph === graph) return;
  throw invalidStatistics(
    folder,
    'are of this model run in another way: its graph has another sum',
    'Capture again with the same --dtype, --rotate and version of Quern',
  );
}

/** What a capture has seen. */
function contentOf({ calibration }: StatisticsManifest): string {
  return calibration.tokens ?? calibration.sha256;
}

async function readWindows(folder: string, { calibration }: StatisticsManifest): Promise<TokenWindow[]> {
  const { windowLength, count, tokens } = calibration;
  if (windowLength === undefined || tokens === undefined) return [];
  const path = join(folder, TOKENS_FILE);
  const expected = 4 * windowLength * count;
  const size = await fileSize(path);
  if (size !== expected || size > LARGEST_TOKENS) {
    throw invalidStatistics(folder, `have ${size ?? 'no'} bytes of tokens, not ${expected}`);
  }
  const bytes = await readFile(path);
  const ids = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const windows = Array.from({ length: count }, (_, at) => ({
    ids: ids.slice(at * windowLength, (at + 1) * windowLength),
    firstScored: 1,
  }));
  if (hashWindows(windows) === tokens) return windows;
  throw invalidStatistics(folder, 'have other tokens than they were captured on: the sum differs');
}

function checkSameInputs(captures: StoredStatistics['captures']): void {
  const namesOf = ({ inputs }: StatisticsManifest): string => jobKey(inputs.map(({ name }) => name).sort());
  const other = captures.find(({ manifest }) => namesOf(manifest) !== namesOf(captures[0]!.manifest));
  if (!other) return;
  const fault = `hold other inputs than those in ${captures[0]!.folder}`;
  throw invalidStatistics(other.folder, fault, 'Capture both with the same --exclude');
}

async function readInput(folder: string, input: StatisticsManifest['inputs'][number]): Promise<InputStatistics> {
  const { file, inFeatures: n, tokenCount, sha256 } = input;
  const size = await fileSize(join(folder, file));
  const expected = inputFileBytes(n);
  if (size !== expected) throw invalidStatistics(folder, `have ${size ?? 'no'} bytes in ${file}, not ${expected}`);
  const bytes = await readFile(join(folder, file));
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
    throw invalidStatistics(folder, `have a damaged file, ${file}: its sum is not that of ${STATISTICS_FILE}`);
  }
  const values = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  return {
    inputGram: { rows: n, columns: n, data: values.slice(0, n * n) },
    tokenCount,
    meanAbsolute: values.slice(n * n),
  };
}

/** Null for what is no file of this folder's own. */
async function fileSize(path: string): Promise<number | null> {
  const information = await lstat(path).catch(() => null);
  return information?.isFile() ? information.size : null;
}
