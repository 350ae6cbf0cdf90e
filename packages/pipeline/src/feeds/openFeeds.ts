import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, relative, resolve } from 'node:path';
import type { OnnxModel } from '@quern/onnx';
import type { NamedTensors, PlainTensor } from '@quern/runtime';
import { hashFile } from '../open/hashFile.ts';
import { checkComplete, checkFeed, findInput } from './checkFeed.ts';
import { type GraphInput, graphInputs } from './graphInputs.ts';
import { invalidFeeds } from './invalidFeeds.ts';
import { listSamples, type SampleFiles } from './listSamples.ts';
import { parseJsonSample } from './parseJsonSample.ts';
import { readNpy, readNpyHeader } from './readNpy.ts';

/** Inputs for a model, sample by sample, checked against its graph. */
export interface Feeds {
  /** Name of the folder. */
  readonly id: string;
  /** Of names and content of the files. */
  readonly sha256: string;
  readonly count: number;
  /** A sample's tensors, read anew each time: memory holds one sample, not all. */
  read(sample: number): Promise<NamedTensors>;
}

/** JSON takes many times its size in memory; larger tensors belong into .npy files. */
const LARGEST_JSON = 64e6;

/**
 * Opens a folder of feeds (see `listSamples`) and checks every sample's names, types and shapes against the graph's inputs
 * before any .npy file's elements are read.
 *
 * @param maximumCount samples used, the first in the order of their names
 * Errors: INVALID_FEEDS naming the file.
 */
export async function openFeeds(path: string, model: OnnxModel, maximumCount = Infinity): Promise<Feeds> {
  const inputs = graphInputs(model);
  const folder = resolve(path);
  const samples = (await listSamples(folder, inputs)).slice(0, maximumCount);
  const hash = createHash('sha256');
  for (const sample of samples) {
    await checkSample(sample, inputs);
    const files = sample.kind === 'json' ? [sample.path] : [...sample.files.values()].sort();
    for (const file of files) hash.update(`${relative(folder, file)}\0${await hashFile(file)}\n`);
  }
  return {
    id: basename(folder),
    sha256: hash.digest('hex'),
    count: samples.length,
    read: sample => readSample(samples[sample]!, inputs),
  };
}

async function checkSample(sample: SampleFiles, inputs: readonly GraphInput[]): Promise<void> {
  if (sample.kind === 'json') {
    await readSample(sample, inputs);
    return;
  }
  for (const [name, file] of sample.files) {
    checkFeed(findInput(inputs, name, file), await readNpyHeader(file), file);
  }
  checkComplete(inputs, [...sample.files.keys()], sample.path);
}

async function readSample(sample: SampleFiles, inputs: readonly GraphInput[]): Promise<NamedTensors> {
  if (sample.kind === 'json') {
    const { size } = await stat(sample.path);
    if (size > LARGEST_JSON) {
      throw invalidFeeds(sample.path, `has ${size} bytes; JSON is read up to ${LARGEST_JSON}. Use .npy files.`);
    }
    const tensors = parseJsonSample(await readFile(sample.path, 'utf8'), inputs, sample.path);
    checkComplete(inputs, Object.keys(tensors), sample.path);
    return tensors;
  }
  const tensors: Record<string, PlainTensor> = {};
  for (const [name, file] of sample.files) {
    const tensor = await readNpy(file);
    checkFeed(findInput(inputs, name, file), tensor, file);
    tensors[name] = tensor;
  }
  return tensors;
}
