import { CompressionError, type InputStatistics } from '@quern/core';
import { addGram, gemm } from '@quern/linalg';
import type { NamedTensors, PlainTensor } from './plainTensor.ts';
import type { RunSums } from './withSums.ts';

/** Sums statistics of activations, chunk by chunk. */
export interface StatisticsCapture {
  /**
   * A chunk or, until `endsChunk`, a part of one: `[..., inFeatures]` for every captured name. The order of chunks, and how
   * they are cut into parts, is part of the result. `originals`: the same activations of the original model, for the cross-Gram;
   * given with every part or with none.
   */
  add(activations: NamedTensors, endsChunk?: boolean, originals?: NamedTensors): Promise<void>;
  /** The sums of a run that were made elsewhere, in single precision; a chunk, or a part of one, of its own. */
  addSums(sums: ReadonlyMap<string, RunSums>): void;
  finish(): ReadonlyMap<string, InputStatistics>;
}

/** Scratch of finished chunks, by inFeatures: the pages of a new matrix cost more than adding it. */
type Scratch = Map<number, Float32Array[]>;

interface Sums {
  readonly inFeatures: number;
  readonly scratch: Scratch;
  /** Whether a chunk was added. */
  isBegun: boolean;
  readonly inputGram: Float64Array<SharedArrayBuffer>;
  /** Of the chunk that is being added, null between chunks. */
  chunkGram: Float32Array | null;
  crossGram: Float64Array<SharedArrayBuffer> | null;
  chunkCross: Float32Array | null;
  readonly absolute: Float64Array;
  tokenCount: number;
}

/**
 * Accumulates, for each named activation, the raw Gram sum x x^T, the token count and the mean of |x|.
 *
 * A chunk's Gram is summed in single precision, one GEMM a part; chunks are added in double precision, in the order in which
 * they come, so that the result depends on nothing but the chunks. Grams lie in shared memory: many jobs read one.
 * `widths`: inFeatures by activation name.
 * Errors: NON_FINITE_ACTIVATION naming the activation; INVALID_SHAPE when the last dimension is not inFeatures.
 * Cost: tokens x inFeatures^2 multiply-adds and inFeatures^2 x 4 bytes of scratch, for each name while a chunk comes in several parts.
 */
export function captureStatistics(widths: ReadonlyMap<string, number>): StatisticsCapture {
  const scratch: Scratch = new Map();
  const sums = new Map([...widths].map(([name, inFeatures]) => [name, emptySums(inFeatures, scratch)]));
  return {
    async add(activations, endsChunk = true, originals) {
      for (const [name, target] of sums) {
        const data = await addPart(name, captured(activations, name), target);
        if (originals) await addCross(captured(originals, name), data, target);
        if (endsChunk) endChunk(target);
      }
    },
    addSums(given) {
      for (const [name, target] of sums) addRunSums(name, given.get(name), target);
    },
    finish: () => new Map([...sums].map(([name, target]) => [name, toStatistics(target)])),
  };
}

function emptySums(inFeatures: number, scratch: Scratch): Sums {
  const inputGram = new Float64Array(new SharedArrayBuffer(8 * inFeatures * inFeatures));
  const absolute = new Float64Array(inFeatures);
  const none = { chunkGram: null, crossGram: null, chunkCross: null, tokenCount: 0, isBegun: false };
  return { inFeatures, scratch, inputGram, absolute, ...none };
}

/** A square of zeros. */
function takeScratch({ inFeatures, scratch }: Sums): Float32Array {
  return scratch.get(inFeatures)?.pop()?.fill(0) ?? new Float32Array(inFeatures * inFeatures);
}

function giveBack({ inFeatures, scratch }: Sums, used: Float32Array): void {
  scratch.set(inFeatures, [...(scratch.get(inFeatures) ?? []), used]);
}

function captured(activations: NamedTensors, name: string): PlainTensor {
  const tensor = activations[name];
  if (tensor) return tensor;
  throw new CompressionError('MISSING_TENSOR', `The activation "${name}" was not captured.`, { name });
}

/** Adds sum x_original x^T. */
async function addCross(original: PlainTensor, data: Float32Array, sums: Sums): Promise<void> {
  const { inFeatures } = sums;
  const rows = data.length / inFeatures;
  sums.crossGram ??= new Float64Array(new SharedArrayBuffer(8 * inFeatures * inFeatures));
  sums.chunkCross ??= takeScratch(sums);
  const output = { rows: inFeatures, columns: inFeatures, data: sums.chunkCross };
  const x = { rows, columns: inFeatures, data };
  await gemm({ ...x, data: toFloat32(original) }, x, { transposeA: true, beta: 1, output });
}

/** The part's values in float32. */
async function addPart(name: string, tensor: PlainTensor, sums: Sums): Promise<Float32Array> {
  const { inFeatures, absolute } = sums;
  if (tensor.dims.at(-1) !== inFeatures) {
    throw new CompressionError(
      'INVALID_SHAPE',
      `The activation "${name}" has shape [${tensor.dims.join(', ')}]: the last dimension should be ${inFeatures}.`,
      { name, dims: [...tensor.dims] },
    );
  }
  const data = toFloat32(tensor);
  const rows = data.length / inFeatures;
  sums.chunkGram ??= takeScratch(sums);
  const { chunkGram } = sums;
  await addGram({ rows: inFeatures, columns: inFeatures, data: chunkGram }, { rows, columns: inFeatures, data });
  checkFinite(name, chunkGram, inFeatures);
  for (let row = 0; row < rows; row++) {
    const start = row * inFeatures;
    for (let column = 0; column < inFeatures; column++) absolute[column]! += Math.abs(data[start + column]!);
  }
  sums.tokenCount += rows;
  return data;
}

function addRunSums(name: string, given: RunSums | undefined, sums: Sums): void {
  if (!given) throw new CompressionError('MISSING_TENSOR', `The activation "${name}" was not captured.`, { name });
  const { inFeatures, inputGram, absolute } = sums;
  checkFinite(name, given.gram, inFeatures);
  addChunk(inputGram, given.gram, sums.isBegun);
  sums.isBegun = true;
  for (let column = 0; column < inFeatures; column++) absolute[column]! += given.absolute[column]!;
  sums.tokenCount += given.tokenCount;
}

/** An activation that is not finite makes its place on the diagonal so. */
function checkFinite(name: string, gram: Float32Array, inFeatures: number): void {
  for (let column = 0; column < inFeatures; column++) {
    if (Number.isFinite(gram[column * inFeatures + column]!)) continue;
    throw new CompressionError(
      'NON_FINITE_ACTIVATION',
      `The activation "${name}" is not finite in channel ${column} of ${inFeatures}: the model overflows on what it is calibrated with.`,
      { name, channel: column },
    );
  }
}

function endChunk(sums: Sums): void {
  const { inputGram, chunkGram, crossGram, chunkCross, isBegun } = sums;
  if (!chunkGram) return;
  addChunk(inputGram, chunkGram, isBegun);
  giveBack(sums, chunkGram);
  sums.chunkGram = null;
  if (crossGram && chunkCross) {
    addChunk(crossGram, chunkCross, isBegun);
    giveBack(sums, chunkCross);
    sums.chunkCross = null;
  }
  sums.isBegun = true;
}

/** The first is written over zeros: reading them first would take every page twice, once empty and once to be written. */
function addChunk(total: Float64Array, chunk: Float32Array, isBegun: boolean): void {
  if (!isBegun) total.set(chunk);
  else for (let index = 0; index < chunk.length; index++) total[index]! += chunk[index]!;
}

function toFloat32(tensor: PlainTensor): Float32Array {
  if (tensor.type === 'float32') return tensor.data as Float32Array;
  const bits = tensor.data as Uint16Array;
  return Float32Array.from(new Float16Array(bits.buffer, bits.byteOffset, bits.length));
}

function toStatistics({ inFeatures, inputGram, crossGram, absolute, tokenCount }: Sums): InputStatistics {
  const square = { rows: inFeatures, columns: inFeatures };
  return {
    inputGram: { ...square, data: inputGram as unknown as Float64Array },
    ...(crossGram ? { crossGram: { ...square, data: crossGram as unknown as Float64Array } } : {}),
    tokenCount,
    meanAbsolute: absolute.map(sum => sum / tokenCount),
  };
}
