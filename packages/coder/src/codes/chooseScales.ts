import { type BestScales, bestScales, costTable, type LineSample } from './bestScales.ts';
import { memberCosts } from './codeLength.ts';
import type { CodeLadder } from './codeTables.ts';
import { fitNumberModel, numberCosts } from './numberCoding.ts';

/** Which table each code of a matrix takes: number `columnScales[column] + rowScales[row]` of a ladder. */
export interface ScaleChoice {
  /** Number of the ladder. */
  readonly ladder: number;
  readonly columnScales: Uint8Array;
  readonly rowScales: Uint8Array;
  /** Estimated length of codes and scales. */
  readonly bits: number;
}

export interface CodeMatrix {
  /** `[rows, columns]` */
  readonly codes: Uint8Array;
  readonly rows: number;
  readonly columns: number;
  readonly bits: number;
}

/** Codes of a column or row that are looked at: its scale is then known to 3 %, a quarter of a step. */
const SAMPLES = 512;
/** The same while ladders are compared. */
const COARSE_SAMPLES = 96;
/** Row scales reach this many steps up and down. */
const REACH = 6;

/**
 * The ladder, the scale of every column and, where it pays, of every row, for the fewest bits in all.
 *
 * Columns first, then rows against them, then both again with the cost of storing the scales themselves in view: scales that few
 * lines would take give way to common ones. Kept only if shorter than the best choice with all rows alike.
 *
 * Cost: 128 additions for each code looked at, at most 512 in a row and column; as many bytes of scratch.
 */
export function chooseScales(matrix: CodeMatrix, ladders: readonly CodeLadder[]): ScaleChoice {
  if (matrix.codes.length === 0) {
    return { ladder: 0, columnScales: new Uint8Array(0), rowScales: new Uint8Array(0), bits: 0 };
  }
  let ladder = 0;
  if (ladders.length > 1) {
    const samples = sampleLines(matrix, COARSE_SAMPLES);
    const lengths = ladders.map(candidate => scalesOf(matrix, samples, candidate).bits);
    ladder = lengths.indexOf(Math.min(...lengths));
  }
  return { ladder, ...scalesOf(matrix, sampleLines(matrix, SAMPLES), ladders[ladder]!) };
}

interface Samples {
  readonly ofRows: LineSample;
  readonly ofColumns: LineSample;
}

function scalesOf(
  { rows, bits }: CodeMatrix,
  { ofRows, ofColumns }: Samples,
  { shape, firstScale, count }: CodeLadder,
): Omit<ScaleChoice, 'ladder'> {
  const costs = Array.from({ length: count }, (_, scale) => memberCosts(shape, firstScale + scale, bits));
  const last = count - 1;
  const reach = Math.min(REACH, last >> 1);
  const table = costTable(costs, 2 * reach);
  const again = (sample: LineSample, across: Uint8Array, near: Uint8Array, highest: number): BestScales =>
    bestScales(sample, across, { table, last: highest, near, sideCosts: numberCosts(fitNumberModel(near)) });

  const level = new Uint8Array(rows);
  const first = bestScales(ofColumns, level, { table, last });
  const alike = again(ofColumns, level, first.scales, last);
  if (reach === 0) return { columnScales: alike.scales, rowScales: level, bits: alike.bits };

  // Row scales count up from 0, so columns stay below by what rows may add.
  const highest = last - 2 * reach;
  const lowered = first.scales.map(scale => Math.max(0, Math.min(highest, scale - reach)));
  const middle = new Uint8Array(rows).fill(reach);
  const firstRows = bestScales(ofRows, lowered, { table, last: 2 * reach, near: middle });
  const columns = again(ofColumns, firstRows.scales, lowered, highest);
  const rowsAgain = again(ofRows, columns.scales, firstRows.scales, 2 * reach);
  const columnsAgain = again(ofColumns, rowsAgain.scales, columns.scales, highest);
  const length = columnsAgain.bits + rowsAgain.sideBits;
  return length < alike.bits
    ? { columnScales: columnsAgain.scales, rowScales: rowsAgain.scales, bits: length }
    : { columnScales: alike.scales, rowScales: level, bits: alike.bits };
}

function sampleLines({ codes, rows, columns }: CodeMatrix, most: number): Samples {
  const rowPositions = spread(columns, most);
  const ofRows = new Uint8Array(rows * rowPositions.length);
  for (let row = 0, at = 0; row < rows; row++) {
    for (const column of rowPositions) ofRows[at++] = codes[row * columns + column]!;
  }
  const columnPositions = spread(rows, most);
  const ofColumns = new Uint8Array(columns * columnPositions.length);
  columnPositions.forEach((row, index) => {
    for (let column = 0, at = index; column < columns; column++, at += columnPositions.length) {
      ofColumns[at] = codes[row * columns + column]!;
    }
  });
  return {
    ofRows: { codes: ofRows, lineCount: rows, positions: rowPositions, factor: columns / rowPositions.length },
    ofColumns: {
      codes: ofColumns,
      lineCount: columns,
      positions: columnPositions,
      factor: rows / columnPositions.length,
    },
  };
}

/** At most `most` of the numbers 0 .. length - 1, evenly apart. */
function spread(length: number, most: number): Uint32Array {
  const count = Math.min(length, most);
  return Uint32Array.from({ length: count }, (_, index) => Math.floor(((index + 0.5) * length) / count));
}
