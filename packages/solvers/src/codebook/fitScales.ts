import { gemm } from '@quern/linalg';
import { addWords } from './addWords.ts';
import type { CodebookProblem, Iterate } from './codebookProblem.ts';
import { normalizedRows } from './normalizedRows.ts';
import { panelsOf } from './panelsOf.ts';

/**
 * The scale of every output that fits its sum of words best, rounded to float16, and what is then lost: the sum of
 * (w - s v) H (w - s v)^T. A scale that would not be positive stays.
 *
 * Cost: 2 outFeatures inFeatures^2 multiply-adds.
 */
export async function fitScales(
  problem: CodebookProblem,
  iterate: Iterate,
): Promise<{ scales: Float32Array<ArrayBuffer>; loss: number }> {
  const { inputCount, hessian } = problem;
  const scales = iterate.scales.slice();
  let loss = 0;
  for (const { start, end } of panelsOf(scales.length)) {
    const rows = normalizedRows(problem, iterate.scales, start, end);
    const sums = { ...rows, data: new Float64Array(rows.data.length) };
    addWords(sums, iterate, iterate.words, problem, start, 1);
    const rowImages = await gemm(rows, hessian);
    const sumImages = await gemm(sums, hessian);
    for (let output = start; output < end; output++) {
      const from = (output - start) * inputCount;
      const scale = iterate.scales[output]!;
      let [own, both, square] = [0, 0, 0];
      for (let index = from; index < from + inputCount; index++) {
        own += rows.data[index]! * rowImages.data[index]!;
        both += rows.data[index]! * sumImages.data[index]!;
        square += sums.data[index]! * sumImages.data[index]!;
      }
      const fitted = Math.f16round((scale * both) / square);
      if (fitted > 0 && fitted < Number.POSITIVE_INFINITY) scales[output] = fitted;
      const factor = scale === 0 ? 0 : scales[output]! / scale;
      loss += scale ** 2 * Math.max(0, own - factor * (2 * both - factor * square));
    }
  }
  return { scales, loss };
}
