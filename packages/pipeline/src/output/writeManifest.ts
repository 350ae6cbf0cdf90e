import { readdir, stat, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import type { CompressResult } from '../compressRequest.ts';
import { type Material, materialContent } from '../open/material.ts';
import { textContent } from '../open/textContent.ts';
import type { CompressRun } from '../run.ts';
import { versions } from '../versions.ts';
import { packedName } from './packed/packedName.ts';
import { toJsonText } from './toJsonText.ts';

interface ManifestParts {
  readonly folder: string;
  readonly run: CompressRun;
  readonly result: Omit<CompressResult, 'output' | 'files'>;
  /** sha256 of the source files, in their order. */
  readonly sources: readonly string[];
  /** One hash of everything that the result is made from. */
  readonly key: string;
}

/** Writes `quern.json`: everything that is needed to know what a folder is, to load it and to make it again. */
export async function writeManifest({ folder, run, result, sources, key }: ManifestParts): Promise<void> {
  const { request, opened, calibration, device, fallbackReason, solvesOn, engine } = run;
  const { storage, sites, embeddings, perplexity, budget, outputs, windowsUsed, dtype, durationMs } = result;
  const manifest = {
    format: 1,
    key,
    versions: versions(),
    device,
    ...(fallbackReason === null ? {} : { fallbackReason }),
    ...(solvesOn === device ? {} : { solvesOn }),
    engine: { gemm: engine.gemm, factorization: engine.factorization },
    source: opened.files.map((path, index) => ({ file: basename(path), sha256: sources[index] })),
    recipe: request.recipe,
    calibration: calibration && { ...describeMaterial(calibration), seed: request.recipe.seed },
    ...(request.rotationTrial ? { rotation: request.rotationTrial } : {}),
    dtype,
    storage,
    perplexity,
    outputs,
    budget,
    sites,
    embeddings,
    windowsUsed,
    durationMs,
    files: await listFiles(folder),
    load: { ...howToLoad(run, dtype), note: noteOn(run, sites) },
  };
  await writeFile(join(folder, 'quern.json'), toJsonText(manifest));
}

/** What stands beside the manifest, with sizes. */
async function listFiles(folder: string): Promise<CompressResult['files']> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
  return Promise.all(
    paths.sort().map(async path => ({ path: relative(folder, path), bytes: (await stat(path)).size })),
  );
}

const CAPTURED =
  'Solved from statistics of the original model: no block was calibrated behind compressed ones (sequential: false).';

function describeMaterial(material: Material) {
  if (material.kind === 'statistics') {
    const captures = material.statistics.captures.map(({ manifest: { key, calibration } }) => ({
      key,
      ...calibration,
    }));
    return { statistics: captures, sha256: material.statistics.sha256, note: CAPTURED };
  }
  if (material.kind === 'feeds') return { id: material.feeds.id, ...materialContent(material) };
  const { data, windows, windowLength } = material.text;
  const { tokens } = textContent(material.text);
  return { ...data, tokens, windowCount: windows.length, windowLength };
}

function howToLoad({ request, opened, layout }: CompressRun, dtype: string): Readonly<Record<string, string>> {
  const graph = join(layout.graphFolder, layout.graphName);
  if (request.recipe.storage === 'packed') return howToLoadPacked(graph, opened.text !== null, dtype);
  if (request.recipe.layout === 'genai') return { genai: 'og.Model(folder)' };
  if (opened.text) return { transformersjs: `await pipeline('text-generation', folder, { dtype: '${dtype}' })` };
  return { onnxruntime: `await InferenceSession.create('${graph}')` };
}

/** With `@quern/loader`, as it is; by every other client once unpacked. */
function howToLoadPacked(graph: string, isText: boolean, dtype: string): Readonly<Record<string, string>> {
  const unpack = 'quern unpack <folder> --out <folder>';
  if (isText) {
    return {
      transformersjs: `usePacked(env); await pipeline('text-generation', folder, { dtype: '${dtype}' })`,
      unpack,
    };
  }
  const options = `{ externalData: await externalData(await openPacked('${packedName(graph)}')) }`;
  return { onnxruntime: `await InferenceSession.create('${graph}', ${options})`, unpack };
}

function noteOn({ request }: CompressRun, sites: CompressResult['sites']): string {
  const { storage } = request.recipe;
  if (storage === 'packed')
    return 'The .quern file holds the data files of the graph; usePacked, openPacked: @quern/loader.';
  if (storage === 'packed-onnx')
    return 'Codes narrower than their container are bit planes, zeros of sparse factors bits of a mask; the graph unpacks them at load.';
  return noteOnContainers(sites.map(site => site.nominalBits));
}

function noteOnContainers(widths: readonly number[]): string {
  const held = [...new Set(widths)].filter(bits => ![2, 4, 8, 16].includes(bits)).sort();
  if (held.length === 0) return 'Codes are stored at their own width.';
  return `${held.map(bits => `${bits}-bit codes are stored in ${bits === 3 ? 4 : 8} bits`).join('; ')}.`;
}
