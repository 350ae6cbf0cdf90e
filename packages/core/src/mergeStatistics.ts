import { CompressionError } from './compressionError.ts';
import type { InputStatistics } from './inputStatistics.ts';

/**
 * The statistics of two texts together: Grams and token counts add, means weigh by tokens. Cross-Grams add where both have one;
 * where one alone has, the result has none.
 *
 * Errors: INVALID_SHAPE when the numbers of inputs differ. Cost: one pass; the inputs stay as they are.
 */
export function mergeStatistics(first: InputStatistics, second: InputStatistics): InputStatistics {
  const { rows, columns } = first.inputGram;
  if (second.inputGram.rows !== rows || second.inputGram.columns !== columns) {
    throw new CompressionError(
      'INVALID_SHAPE',
      `Statistics of ${rows} and of ${second.inputGram.rows} inputs are of different sites and cannot be merged.`,
      { first: rows, second: second.inputGram.rows },
    );
  }
  const tokenCount = first.tokenCount + second.tokenCount;
  const share = tokenCount === 0 ? 0 : first.tokenCount / tokenCount;
  const merged = {
    inputGram: { rows, columns, data: sumOf(first.inputGram.data, second.inputGram.data) },
    tokenCount,
    meanAbsolute: first.meanAbsolute.map((mean, input) => share * mean + (1 - share) * second.meanAbsolute[input]!),
  };
  if (!first.crossGram || !second.crossGram) return merged;
  return { ...merged, crossGram: { rows, columns, data: sumOf(first.crossGram.data, second.crossGram.data) } };
}

function sumOf(first: Float64Array, second: Float64Array): Float64Array {
  return first.map((value, index) => value + second[index]!);
}
