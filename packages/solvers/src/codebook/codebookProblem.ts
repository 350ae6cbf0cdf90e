import type { InputStatistics } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import type { CodebookFormat } from './codebookFormat.ts';

/** What the codes of a weight are to make small: sum over outputs of scale^2 e H e^T, e the error of a row divided by its scale. */
export interface CodebookProblem {
  readonly format: CodebookFormat;
  /** `[outFeatures, inFeatures]`. */
  readonly weight: Matrix<Float32Array>;
  readonly groupCount: number;
  /** Inputs with those that the last group reaches past. */
  readonly inputCount: number;
  /** H = G / mean(diag G) + dampingFraction I, in float32's digits, `[inputCount, inputCount]`; mere damping past the inputs. */
  readonly hessian: Matrix<Float64Array>;
}

/** Words, codes and scales: always what would be stored. */
export interface Iterate {
  /** `[codebookCount, 2^codebookBits, groupSize]`. */
  readonly words: Float32Array<ArrayBuffer>;
  /** `[outFeatures, groupCount, codebookCount]`. */
  readonly codes: Uint16Array<ArrayBuffer>;
  /** `[outFeatures]`; 0 for an output of zeros. */
  readonly scales: Float32Array<ArrayBuffer>;
}

/** The problem of one weight. Rounding H to float32 keeps the Gram's own scale out of every choice. Cost: a copy of the Gram. */
export function codebookProblem(
  weight: Matrix<Float32Array>,
  { inputGram }: InputStatistics,
  format: CodebookFormat,
  dampingFraction: number,
): CodebookProblem {
  const { groupSize } = format;
  const inFeatures = weight.columns;
  const groupCount = Math.ceil(inFeatures / groupSize);
  const inputCount = groupCount * groupSize;
  let trace = 0;
  for (let input = 0; input < inFeatures; input++) trace += inputGram.data[input * inFeatures + input]!;
  const mean = trace / inFeatures;
  const data = new Float64Array(inputCount * inputCount);
  for (let row = 0; row < inFeatures; row++) {
    for (let column = 0; column < inFeatures; column++) {
      data[row * inputCount + column] = Math.fround(inputGram.data[row * inFeatures + column]! / mean);
    }
  }
  for (let input = 0; input < inputCount; input++) data[input * inputCount + input]! += dampingFraction;
  return { format, weight, groupCount, inputCount, hessian: { rows: inputCount, columns: inputCount, data } };
}
