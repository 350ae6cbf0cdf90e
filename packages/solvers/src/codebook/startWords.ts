import { uniformNumbers } from '@quern/core';
import { createWordSearch, type Matrix } from '@quern/linalg';
import type { CodebookProblem } from './codebookProblem.ts';

/** Groups that the words are fitted to, for each word of a codebook, at most. */
const SAMPLES_PER_WORD = 64;
const SMALLEST_SAMPLE = 16384;
const ROUNDS = 12;
/** Samples whose words are searched together. */
const CHUNK = 1024;

/**
 * Words to start from: residual k-means over groups of the rows, each divided by its scale; a group counts by the energy of its
 * inputs.
 *
 * Cost: 12 rounds of codebookCount 2^codebookBits groupSize multiply-adds for each of at most 64 groups a word.
 */
export function startWords(problem: CodebookProblem, scales: Float32Array, seed: number): Float32Array<ArrayBuffer> {
  const { groupSize, codebookCount, codebookBits } = problem.format;
  const random = uniformNumbers(seed);
  const wordCount = 2 ** codebookBits;
  const { samples, weights } = drawSamples(problem, scales, random);
  const words = new Float32Array(codebookCount * wordCount * groupSize);
  for (let codebook = 0; codebook < codebookCount; codebook++) {
    const own = cluster(samples, weights, wordCount, random);
    words.set(own.centres, codebook * wordCount * groupSize);
    for (let index = 0; index < samples.data.length; index++) {
      const word = own.nearest[Math.floor(index / groupSize)]!;
      samples.data[index]! -= own.centres[word * groupSize + (index % groupSize)]!;
    }
  }
  return words.map(Math.f16round);
}

interface Samples {
  /** `[count, groupSize]`. */
  readonly samples: Matrix<Float64Array>;
  readonly weights: Float64Array;
}

function drawSamples(problem: CodebookProblem, scales: Float32Array, random: () => number): Samples {
  const { weight, groupCount, inputCount, hessian, format } = problem;
  const { groupSize, codebookBits } = format;
  const all = weight.rows * groupCount;
  const count = Math.min(all, Math.max(SMALLEST_SAMPLE, SAMPLES_PER_WORD * 2 ** codebookBits));
  const samples = { rows: count, columns: groupSize, data: new Float64Array(count * groupSize) };
  const weights = new Float64Array(count);
  for (let sample = 0; sample < count; sample++) {
    // One of each of `count` equal stretches.
    const place = count === all ? sample : Math.floor(((sample + random()) * all) / count);
    const output = Math.floor(place / groupCount);
    const start = (place % groupCount) * groupSize;
    const scale = scales[output]!;
    for (let offset = 0; offset < groupSize; offset++) {
      const input = start + offset;
      weights[sample]! += scale ** 2 * hessian.data[input * inputCount + input]!;
      if (input >= weight.columns || scale === 0) continue;
      samples.data[sample * groupSize + offset] = weight.data[output * weight.columns + input]! / scale;
    }
  }
  return { samples, weights };
}

/** k-means; a centre that nothing is near moves to a sample drawn by its weighted distance. */
function cluster(
  samples: Matrix<Float64Array>,
  weights: Float64Array,
  wordCount: number,
  random: () => number,
): { centres: Float32Array; nearest: Uint16Array } {
  const { rows: count, columns: length, data } = samples;
  const centres = new Float32Array(wordCount * length);
  for (let word = 0; word < wordCount; word++) {
    const sample = Math.min(count - 1, Math.floor(((word + random()) * count) / wordCount));
    centres.set(data.subarray(sample * length, (sample + 1) * length), word * length);
  }
  const nearest = new Uint16Array(count);
  const assign = nearestCentres(samples, wordCount);
  for (let round = 0; round < ROUNDS; round++) {
    assign(centres, nearest);
    const sums = new Float64Array(wordCount * length);
    const masses = new Float64Array(wordCount);
    for (let sample = 0; sample < count; sample++) {
      const word = nearest[sample]!;
      const mass = weights[sample]!;
      masses[word]! += mass;
      for (let offset = 0; offset < length; offset++)
        sums[word * length + offset]! += mass * data[sample * length + offset]!;
    }
    for (let word = 0; word < wordCount; word++) {
      if (masses[word]! > 0) {
        for (let at = word * length; at < (word + 1) * length; at++) centres[at] = sums[at]! / masses[word]!;
      } else {
        const sample = Math.floor(random() * count);
        centres.set(data.subarray(sample * length, (sample + 1) * length), word * length);
      }
    }
  }
  assign(centres, nearest);
  return { centres, nearest };
}

function nearestCentres(
  { rows: count, columns: length, data }: Matrix<Float64Array>,
  wordCount: number,
): (centres: Float32Array, nearest: Uint16Array) => void {
  const metric = { rows: length, columns: length, data: new Float64Array(length * length) };
  for (let index = 0; index < length; index++) metric.data[index * (length + 1)] = 1;
  const shape = { rowCapacity: CHUNK, groupCount: 1, length, codebookCount: 1, wordCount, beam: 1, slots: 1 };
  const search = createWordSearch(shape);
  return (centres, nearest) => {
    search.setWords(centres);
    for (let start = 0; start < count; start += CHUNK) {
      const rows = Math.min(CHUNK, count - start);
      for (let row = 0; row < rows; row++) {
        for (let offset = 0; offset < length; offset++) {
          search.linear[offset * CHUNK + row] = data[(start + row) * length + offset]!;
        }
      }
      search.search({ group: 0, rows, metric, rounds: 1, assigned: false, slot: 0 });
      nearest.set(search.codes.subarray(0, rows), start);
    }
  };
}
