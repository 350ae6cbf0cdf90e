import type { Matrix } from '@quern/linalg';
import type { CodebookProblem, Iterate } from './codebookProblem.ts';

/** rows += sign times the sums of words that the codes of the outputs from `start` on name. `words` may be any precision. */
export function addWords(
  rows: Matrix<Float64Array>,
  { codes }: Pick<Iterate, 'codes'>,
  words: Float32Array | Float64Array,
  { format, groupCount }: Pick<CodebookProblem, 'format' | 'groupCount'>,
  start: number,
  sign: 1 | -1,
): void {
  const { groupSize, codebookCount, codebookBits } = format;
  const { data } = rows;
  let code = start * groupCount * codebookCount;
  for (let to = 0; to < data.length; to += groupSize) {
    for (let codebook = 0; codebook < codebookCount; codebook++, code++) {
      const word = ((codebook << codebookBits) + codes[code]!) * groupSize;
      for (let offset = 0; offset < groupSize; offset++) data[to + offset]! += sign * words[word + offset]!;
    }
  }
}
