import type { CodebookProblem, Iterate } from './codebookProblem.ts';

/** The inverse of every word's own block of the normal equations, `[word, groupSize, groupSize]` each. */
export interface WordBlocks {
  readonly groupSize: number;
  readonly inverses: Float64Array;
}

/** Added to the diagonal of a block, share of the largest: words that nothing uses then stay where they are. */
const RIDGE = 1e-9;

/** sum over uses of scale^2 H_jj, inverted. Cost: groupSize^2 multiply-adds a code, groupSize^3 a word. */
export function wordBlocks(
  { format, groupCount, hessian, inputCount }: CodebookProblem,
  { codes, scales, words }: Iterate,
): WordBlocks {
  const { groupSize, codebookCount, codebookBits } = format;
  const area = groupSize * groupSize;
  const blocks = new Float64Array(words.length * groupSize);
  // Codes of one group share its block of H: it is copied together once.
  const own = new Float64Array(area);
  for (let group = 0; group < groupCount; group++) {
    for (let row = 0; row < groupSize; row++) {
      const from = (group * groupSize + row) * inputCount + group * groupSize;
      own.set(hessian.data.subarray(from, from + groupSize), row * groupSize);
    }
    for (let output = 0; output < scales.length; output++) {
      const weight = scales[output]! ** 2;
      const first = (output * groupCount + group) * codebookCount;
      for (let codebook = 0; codebook < codebookCount; codebook++) {
        const at = ((codebook << codebookBits) + codes[first + codebook]!) * area;
        for (let index = 0; index < area; index++) blocks[at + index]! += weight * own[index]!;
      }
    }
  }
  const largest = blocks.reduce((most, value) => Math.max(most, value), 0);
  for (let at = 0; at < blocks.length; at += area) invert(blocks.subarray(at, at + area), groupSize, RIDGE * largest);
  return { groupSize, inverses: blocks };
}

/** Inverse times vector, word by word. */
export function solveBlocks({ groupSize, inverses }: WordBlocks, values: Float64Array): Float64Array<ArrayBuffer> {
  const result = new Float64Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const first = index - (index % groupSize);
    let sum = 0;
    for (let column = 0; column < groupSize; column++)
      sum += inverses[index * groupSize + column]! * values[first + column]!;
    result[index] = sum;
  }
  return result;
}

/** Gauss-Jordan in place on a symmetric positive definite block, after the ridge. */
function invert(block: Float64Array, n: number, ridge: number): void {
  if (ridge === 0) return;
  for (let index = 0; index < n; index++) block[index * (n + 1)]! += ridge;
  for (let pivot = 0; pivot < n; pivot++) {
    const inverse = 1 / block[pivot * (n + 1)]!;
    block[pivot * (n + 1)] = 1;
    for (let column = 0; column < n; column++) block[pivot * n + column]! *= inverse;
    for (let row = 0; row < n; row++) {
      if (row === pivot) continue;
      const factor = block[row * n + pivot]!;
      block[row * n + pivot] = 0;
      for (let column = 0; column < n; column++) block[row * n + column]! -= factor * block[pivot * n + column]!;
    }
  }
}
