import type { DenseWeight, Factor, QuantizedWeight } from './compressedWeight.ts';
import { CompressionError } from './compressionError.ts';
import { sparseLevels } from './sparseLevels.ts';

/**
 * A factor as products read it, zeros and all: float16 as a dense matrix; codes on a grid of 4 or 8 bits whose zero point is a zero, so that
 * values and zeros are exact. Factors without a mask are that already.
 *
 * Errors: INVALID_SHAPE when mask, values and scales do not fit each other, or codes their grid. Cost: one pass.
 */
export function containerOf(factor: Factor): DenseWeight | QuantizedWeight {
  if (factor.kind === 'dense' || factor.kind === 'quantized') return factor;
  const { outFeatures, inFeatures, mask } = factor;
  const given = factor.kind === 'sparse' ? factor.values : factor.codes;
  const count = mask.reduce((sum, bit) => sum + bit, 0);
  const badGrid =
    factor.kind === 'sparseGrid' &&
    (factor.scales.length !== outFeatures || factor.codes.some(code => code >>> factor.bits !== 0));
  if (mask.length !== outFeatures * inFeatures || count !== given.length || badGrid) {
    const message = `A sparse matrix has ${mask.length} places and ${given.length} values; [${outFeatures}, ${inFeatures}] with ${count} set takes ${outFeatures * inFeatures} and ${count}${badGrid ? ', codes within their bits and a scale an output' : ''}.`;
    throw new CompressionError('INVALID_SHAPE', message, { outFeatures, inFeatures });
  }
  let next = 0;
  if (factor.kind === 'sparse') {
    const data = new Float32Array(mask.length);
    for (const [index, bit] of mask.entries()) if (bit === 1) data[index] = factor.values[next++]!;
    return { kind: 'dense', outFeatures, inFeatures, data };
  }
  const { step, lowest, containerBits: bits } = sparseLevels(factor.bits);
  const zeroPoint = 2 ** (bits - 1);
  const codes = new Uint8Array(mask.length).fill(zeroPoint);
  for (const [index, bit] of mask.entries()) {
    if (bit === 1) codes[index] = zeroPoint + lowest + step * factor.codes[next++]!;
  }
  const grid = { bits, groupSize: inFeatures, scaleType: 'float16', zeroPoints: null } as const;
  return { kind: 'quantized', outFeatures, inFeatures, ...grid, codes, scales: factor.scales };
}
