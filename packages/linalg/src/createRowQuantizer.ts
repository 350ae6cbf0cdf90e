import { FIRST_BYTE, openKernels } from './wasm/openKernels.ts';

/** Values per call: with their codes they stay in the first cache. Longer rows go one by one. */
const CHUNK_VALUES = 4096;
/** What halfQuadraticGrids keeps beside the values of four groups. */
const LANE_BYTES = 432;

/**
 * Working memory for rounding rows of float32 values group by group, and its kernels. The arrays are the kernels' own
 * memory: put up to `rowCapacity` rows into `values`, measure, cover, change the grids at will, quantise, read the codes. Groups run
 * along a row; the last one of a row may be shorter.
 */
export interface RowQuantizer {
  readonly columns: number;
  readonly groupSize: number;
  readonly rowCapacity: number;
  readonly groupsPerRow: number;
  /** `[rows, columns]`. */
  readonly values: Float32Array<ArrayBuffer>;
  /** Lowest and highest value of each group, both widened to 0; NaN where the group has one: `[rows, groupsPerRow, 2]`. */
  readonly ranges: Float32Array<ArrayBuffer>;
  /** `[rows, groupsPerRow]`. */
  readonly scales: Float32Array<ArrayBuffer>;
  /** `[rows, groupsPerRow]`. */
  readonly zeroPoints: Float32Array<ArrayBuffer>;
  /** `[rows, columns]`. */
  readonly codes: Uint8Array<ArrayBuffer>;
  /** Fills `ranges` from `values`. */
  measure(rows: number): void;
  /** Fills `scales` and `zeroPoints` with the grids that cover `ranges`. */
  cover(rows: number, rule: CoverRule): 'fits' | 'misfits' | 'notFinite';
  /** Makes every group's grid the best that the steps of HQQ pass; see halfQuadraticGrids in assembly/. Returns the passes over a group. */
  refine(rows: number, rule: HalfQuadraticRule): number;
  /** codes = clamp(floor(value / scale + zeroPoint + 1/2), 0, 2^bits - 1), in float64. */
  quantize(rows: number, bits: number): void;
}

/** What grids cover ranges: see gridOfRange in @quern/solvers. */
export interface CoverRule {
  readonly bits: number;
  readonly symmetric: boolean;
  readonly scaleType: 'float16' | 'float32';
  readonly raiseSmallScales: boolean;
}

/** How grids are moved and errors counted. */
export interface HalfQuadraticRule extends Omit<CoverRule, 'raiseSmallScales'> {
  readonly norm: number;
  readonly iterations: number;
}

const COVERED = ['fits', 'misfits', 'notFinite'] as const;

/** Allocates memory for about 4096 values, at least one row. */
export function createRowQuantizer(columns: number, groupSize: number): RowQuantizer {
  const rowCapacity = Math.max(1, Math.floor(CHUNK_VALUES / columns));
  const groupsPerRow = Math.ceil(columns / groupSize);
  const valueCount = rowCapacity * columns;
  // Grids are made two at a time.
  const groupCount = 2 * Math.ceil((rowCapacity * groupsPerRow) / 2);
  const lanesAt = FIRST_BYTE;
  const valuesAt = lanesAt + LANE_BYTES + 16 * Math.min(groupSize, columns);
  const rangesAt = valuesAt + valueCount * 4;
  const scalesAt = rangesAt + groupCount * 8;
  const zerosAt = scalesAt + groupCount * 4;
  const codesAt = zerosAt + groupCount * 4;
  const { memory, groupRanges, coverRanges, halfQuadraticGrids, quantizeGroups } = openKernels(codesAt + valueCount);
  const { buffer } = memory;
  return {
    columns,
    groupSize,
    rowCapacity,
    groupsPerRow,
    values: new Float32Array(buffer, valuesAt, valueCount),
    ranges: new Float32Array(buffer, rangesAt, groupCount * 2),
    scales: new Float32Array(buffer, scalesAt, groupCount),
    zeroPoints: new Float32Array(buffer, zerosAt, groupCount),
    codes: new Uint8Array(buffer, codesAt, valueCount),
    measure: rows => groupRanges(valuesAt, rows, columns, groupSize, rangesAt),
    cover(rows, { bits, symmetric, scaleType, raiseSmallScales }) {
      const flags = [symmetric, scaleType === 'float16', raiseSmallScales].map(Number);
      const count = rows * groupsPerRow;
      return COVERED[coverRanges(rangesAt, count, 2 ** bits - 1, flags[0]!, flags[1]!, flags[2]!, scalesAt, zerosAt)]!;
    },
    refine(rows, { bits, symmetric, scaleType, norm, iterations }) {
      const place = [valuesAt, rows, columns, groupSize, scalesAt, zerosAt] as const;
      const middle = symmetric ? 2 ** (bits - 1) : -1;
      const isFloat16 = Number(scaleType === 'float16');
      return halfQuadraticGrids(...place, 2 ** bits - 1, middle, isFloat16, norm, iterations, lanesAt);
    },
    quantize(rows, bits) {
      quantizeGroups(valuesAt, rows, columns, groupSize, scalesAt, zerosAt, 2 ** bits - 1, codesAt);
    },
  };
}
