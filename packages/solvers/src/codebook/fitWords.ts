import { gemm, type Matrix } from '@quern/linalg';
import { addWords } from './addWords.ts';
import type { CodebookProblem, Iterate } from './codebookProblem.ts';
import { normalizedRows } from './normalizedRows.ts';
import { panelsOf } from './panelsOf.ts';
import { solveBlocks, wordBlocks } from './wordBlocks.ts';

/** The gradient's norm, in the preconditioner, at which words count as fitted, relative to where it was. */
const TOLERANCE = 1e-3;

/**
 * Code words that lose least with the codes and scales as they are: least squares against the Gram, by conjugate gradients from the
 * words that stand, preconditioned with the words' own blocks. Rounded to float16.
 *
 * Objective: sum over outputs of scale^2 (w - A C) H (w - A C)^T over C. Differs from AQLM, which takes steps of Adam.
 * Cost: outFeatures inFeatures (inFeatures + codebookCount) multiply-adds an iteration, at most `iterations`.
 */
export async function fitWords(
  problem: CodebookProblem,
  iterate: Iterate,
  iterations: number,
): Promise<Float32Array<ArrayBuffer>> {
  const blocks = wordBlocks(problem, iterate);
  const words = Float64Array.from(iterate.words);
  const remainder = await images(problem, iterate, null);
  let direction: Float64Array = solveBlocks(blocks, remainder);
  let size = dot(remainder, direction);
  const enough = TOLERANCE ** 2 * size;
  for (let iteration = 0; iteration < iterations && size > enough; iteration++) {
    const image = await images(problem, iterate, direction);
    const curvature = dot(direction, image);
    if (!(curvature > 0)) break;
    const step = size / curvature;
    for (let index = 0; index < words.length; index++) {
      words[index]! += step * direction[index]!;
      remainder[index]! -= step * image[index]!;
    }
    const next = solveBlocks(blocks, remainder);
    const nextSize = dot(remainder, next);
    for (let index = 0; index < next.length; index++) next[index]! += (nextSize / size) * direction[index]!;
    direction = next;
    size = nextSize;
  }
  return Float32Array.from(words, Math.f16round);
}

/** A^T scale^2 X H, X being the sums A P of words `P`, or without words the errors w - A C that are left. */
async function images(
  problem: CodebookProblem,
  iterate: Iterate,
  words: Float64Array | null,
): Promise<Float64Array<ArrayBuffer>> {
  const { hessian, inputCount } = problem;
  const result = new Float64Array(iterate.words.length);
  const { scales } = iterate;
  for (const { start, end } of panelsOf(scales.length)) {
    let rows: Matrix<Float64Array>;
    if (words) {
      rows = { rows: end - start, columns: inputCount, data: new Float64Array((end - start) * inputCount) };
      addWords(rows, iterate, words, problem, start, 1);
    } else {
      rows = normalizedRows(problem, scales, start, end);
      addWords(rows, iterate, iterate.words, problem, start, -1);
    }
    gather(await gemm(rows, hessian), iterate, problem, start, result);
  }
  return result;
}

/** Adds to every word what stands where it is used, times the squared scale of the output. */
function gather(
  { data, columns }: Matrix<Float64Array>,
  { codes, scales }: Iterate,
  { format, groupCount }: CodebookProblem,
  start: number,
  result: Float64Array,
): void {
  const { groupSize, codebookCount, codebookBits } = format;
  let code = start * groupCount * codebookCount;
  for (let from = 0; from < data.length; from += groupSize) {
    const weight = scales[start + Math.floor(from / columns)]! ** 2;
    for (let codebook = 0; codebook < codebookCount; codebook++, code++) {
      const word = ((codebook << codebookBits) + codes[code]!) * groupSize;
      for (let offset = 0; offset < groupSize; offset++) result[word + offset]! += weight * data[from + offset]!;
    }
  }
}

function dot(left: Float64Array, right: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < left.length; index++) sum += left[index]! * right[index]!;
  return sum;
}
