import { gemm, type Matrix } from '@quern/linalg';
import type { CodebookWeight, CompressedWeight, QuantizedWeight } from './compressedWeight.ts';
import { containerOf } from './containerOf.ts';

/**
 * The dense weight `[outFeatures, inFeatures]` that the exported nodes multiply by. Cost: outFeatures inFeatures rank
 * multiply-adds for factors, one pass for grids.
 */
export async function reconstruct(compressed: CompressedWeight): Promise<Matrix<Float32Array>> {
  switch (compressed.kind) {
    case 'quantized':
      return reconstructQuantized(compressed);
    case 'codebook':
      return reconstructFromWords(compressed);
    case 'dense':
      return { rows: compressed.outFeatures, columns: compressed.inFeatures, data: compressed.data.slice() };
    case 'sparse':
    case 'sparseGrid':
      return reconstruct(containerOf(compressed));
    case 'lowRank':
      return gemm(await reconstruct(compressed.left), await reconstruct(compressed.right));
    case 'corrected': {
      const output = await reconstruct(compressed.base);
      const { left, right } = compressed.correction;
      return gemm(await reconstruct(left), await reconstruct(right), { beta: 1, output });
    }
  }
}

function reconstructQuantized(weight: QuantizedWeight): Matrix<Float32Array> {
  const { outFeatures, inFeatures, groupSize, codes, scales, zeroPoints } = weight;
  const groupCount = Math.ceil(inFeatures / groupSize);
  const defaultZeroPoint = 2 ** (weight.bits - 1);
  const data = new Float32Array(outFeatures * inFeatures);
  for (let output = 0; output < outFeatures; output++) {
    for (let group = 0; group < groupCount; group++) {
      const scale = scales[output * groupCount + group]!;
      const zeroPoint = zeroPoints ? zeroPoints[output * groupCount + group]! : defaultZeroPoint;
      const start = output * inFeatures + group * groupSize;
      const end = output * inFeatures + Math.min(inFeatures, (group + 1) * groupSize);
      for (let index = start; index < end; index++) data[index] = scale * (codes[index]! - zeroPoint);
    }
  }
  const { inputScale } = weight;
  if (inputScale) for (let index = 0; index < data.length; index++) data[index]! *= inputScale[index % inFeatures]!;
  return { rows: outFeatures, columns: inFeatures, data };
}

function reconstructFromWords(weight: CodebookWeight): Matrix<Float32Array> {
  const { outFeatures, inFeatures, groupSize, codebookCount, codebookBits, codebooks, codes, scales } = weight;
  const groupCount = Math.ceil(inFeatures / groupSize);
  const data = new Float32Array(outFeatures * inFeatures);
  for (let output = 0; output < outFeatures; output++) {
    const row = output * inFeatures;
    for (let group = 0; group < groupCount; group++) {
      const start = group * groupSize;
      const length = Math.min(groupSize, inFeatures - start);
      for (let codebook = 0; codebook < codebookCount; codebook++) {
        const code = codes[(output * groupCount + group) * codebookCount + codebook]!;
        const word = ((codebook << codebookBits) + code) * groupSize;
        for (let offset = 0; offset < length; offset++) data[row + start + offset]! += codebooks[word + offset]!;
      }
    }
    for (let index = row; index < row + inFeatures; index++) data[index]! *= scales[output]!;
  }
  return { rows: outFeatures, columns: inFeatures, data };
}
