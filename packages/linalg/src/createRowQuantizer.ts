import { FIRST_BYTE, openKernels } from './wasm/openKernels.ts';

/** Values per call: with their codes they stay in the second cache. Longer rows go one by one. */
const CHUNK_VALUES = 65536;

/**
 * Working memory for rounding rows of float32 values group by group, and its two kernels. The arrays are the kernels' own
 * memory: put up to `rowCapacity` rows into `values`, measure, set one inverse scale and one offset per group, quantise, read
 * the codes. Groups run along a row; the last one of a row may be shorter.
 */
export interface RowQuantizer {
  readonly rowCapacity: number;
  readonly groupsPerRow: number;
  /** `[rows, columns]`. */
  readonly values: Float32Array<ArrayBuffer>;
  /** Lowest and highest value of each group, both widened to 0; NaN where the group has one: `[rows, groupsPerRow, 2]`. */
  readonly ranges: Float32Array<ArrayBuffer>;
  /** `[rows, groupsPerRow]`. */
  readonly inverseScales: Float64Array<ArrayBuffer>;
  /** Zero point + 1/2, `[rows, groupsPerRow]`. */
  readonly offsets: Float64Array<ArrayBuffer>;
  /** `[rows, columns]`. */
  readonly codes: Uint8Array<ArrayBuffer>;
  /** Fills `ranges` from `values`. */
  measure(rows: number): void;
  /** Five sums over `count` values from `start` on, which the next call overwrites: see halfQuadraticSums in assembly/. */
  halfQuadraticSums(start: number, count: number, step: HalfQuadraticStep): Float64Array<ArrayBuffer>;
  /** codes = clamp(floor(value inverseScale + offset), 0, 2^bits - 1), in float64. */
  quantize(rows: number, bits: number): void;
}

/** A grid and how errors on it are shrunk. */
export interface HalfQuadraticStep {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly highestCode: number;
  readonly norm: number;
  readonly beta: number;
}

/** Allocates memory for about 65536 values, at least one row. */
export function createRowQuantizer(columns: number, groupSize: number): RowQuantizer {
  const rowCapacity = Math.max(1, Math.floor(CHUNK_VALUES / columns));
  const groupsPerRow = Math.ceil(columns / groupSize);
  const valueCount = rowCapacity * columns;
  const groupCount = rowCapacity * groupsPerRow;
  const inverseScalesAt = FIRST_BYTE;
  const offsetsAt = inverseScalesAt + groupCount * 8;
  const rangesAt = offsetsAt + groupCount * 8;
  const valuesAt = rangesAt + groupCount * 8;
  // Whole lanes are read past the last value.
  const sumsAt = Math.ceil((valuesAt + valueCount * 4 + 16) / 8) * 8;
  const codesAt = sumsAt + 40;
  const { memory, groupRanges, quantizeGroups, halfQuadraticSums } = openKernels(codesAt + valueCount);
  const { buffer } = memory;
  const sums = new Float64Array(buffer, sumsAt, 5);
  return {
    rowCapacity,
    groupsPerRow,
    values: new Float32Array(buffer, valuesAt, valueCount),
    ranges: new Float32Array(buffer, rangesAt, groupCount * 2),
    inverseScales: new Float64Array(buffer, inverseScalesAt, groupCount),
    offsets: new Float64Array(buffer, offsetsAt, groupCount),
    codes: new Uint8Array(buffer, codesAt, valueCount),
    halfQuadraticSums(start, count, { scale, zeroPoint, highestCode, norm, beta }) {
      halfQuadraticSums(valuesAt + 4 * start, count, 1 / scale, zeroPoint, highestCode, norm, 1 / beta, sumsAt);
      return sums;
    },
    measure: rows => groupRanges(valuesAt, rows, columns, groupSize, rangesAt),
    quantize(rows, bits) {
      quantizeGroups(valuesAt, rows, columns, groupSize, inverseScalesAt, offsetsAt, 2 ** bits - 1, codesAt);
    },
  };
}
