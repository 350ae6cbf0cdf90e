import { FIRST_BYTE, openKernels } from './wasm/openKernels.ts';

/**
 * Working memory of a solver that quantises columns one after the other and carries each error forward, and the kernel that
 * does so. Row-major, one row per column of the weight, `outputStride` values a row: the loop runs over outputs. The arrays are
 * the kernel's own memory, free to read and write between calls; what stands past the last output only has to be finite,
 * with scales that are not 0.
 */
export interface ColumnQuantizer {
  /** Outputs rounded up to an odd multiple of 8: rows then fall on different sets of the cache. */
  readonly outputStride: number;
  /** The weight, transposed: `[inFeatures, outputStride]`. */
  readonly columns: Float64Array<ArrayBuffer>;
  /** What was chosen: `[inFeatures, outputStride]`. */
  readonly codes: Uint8Array<ArrayBuffer>;
  /** Errors of the current block divided by the diagonal of its factor: `[blockSize, outputStride]`. */
  readonly errors: Float64Array<ArrayBuffer>;
  /** Grids of the current block's columns: `[blockSize, outputStride]`. */
  readonly scales: Float64Array<ArrayBuffer>;
  readonly zeroPoints: Float64Array<ArrayBuffer>;
  /** The current block's square of the upper factor U: `[count, count]`, count at most blockSize. */
  readonly factor: Float64Array<ArrayBuffer>;
  /**
   * Quantises columns [from, to), relative to the block that starts at column `blockStart` and has `count` columns, and
   * updates its columns [to, count): code = clamp(floor(w / scale + zeroPoint + 1/2), 0, 2^bits - 1), where w / scale is first
   * moved towards 0 by at most `deadZone` (0 to 1/2, default 0), error_i = (w - scale (code - zeroPoint)) / U_ii, w_j -= error_i U_ij. Columns [from, to) themselves are left in place as
   * they were when quantised.
   * Cost: (count - from) (to - from) outputStride multiply-adds.
   */
  quantize(blockStart: number, count: number, from: number, to: number, bits: number, deadZone?: number): void;
}

/** Columns whose errors are kept close while they are carried on: 32 cache lines of each strip of outputs. */
const STEP_COLUMNS = 32;

/** Allocates the memory: 9 bytes for each of inFeatures x outputCount, 24 for each of blockSize x outputCount, and the factor. */
export function createColumnQuantizer(inFeatures: number, outputCount: number, blockSize: number): ColumnQuantizer {
  const outputStride = (Math.ceil(outputCount / 8) | 1) * 8;
  const whole = inFeatures * outputStride;
  const block = blockSize * outputStride;
  const columnsAt = FIRST_BYTE;
  const errorsAt = columnsAt + whole * 8;
  const scalesAt = errorsAt + block * 8;
  const zeroPointsAt = scalesAt + block * 8;
  const factorAt = zeroPointsAt + block * 8;
  const codesAt = factorAt + blockSize * blockSize * 8;
  const { memory, quantizeColumns } = openKernels(codesAt + whole);
  const { buffer } = memory;
  const stride = outputStride * 8;
  const scales = new Float64Array(buffer, scalesAt, block).fill(1);
  return {
    outputStride,
    columns: new Float64Array(buffer, columnsAt, whole),
    codes: new Uint8Array(buffer, codesAt, whole),
    errors: new Float64Array(buffer, errorsAt, block),
    scales,
    zeroPoints: new Float64Array(buffer, zeroPointsAt, block),
    factor: new Float64Array(buffer, factorAt, blockSize * blockSize),
    quantize(blockStart, count, from, to, bits, deadZone = 0) {
      const columns = columnsAt + blockStart * stride;
      const codes = codesAt + blockStart * outputStride;
      const highestCode = 2 ** bits - 1;
      for (let start = from; start < to; start += STEP_COLUMNS) {
        const end = Math.min(to, start + STEP_COLUMNS);
        quantizeColumns(
          columns,
          errorsAt,
          codes,
          scalesAt,
          zeroPointsAt,
          stride,
          factorAt,
          count,
          start,
          end,
          highestCode,
          deadZone,
        );
      }
    },
  };
}
