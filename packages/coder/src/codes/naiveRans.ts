import { codeFrequencies, PRECISION } from './codeFrequencies.ts';
import type { CodeLadder } from './codeTables.ts';

const LOWEST = 65536;
const TOTAL = 1 << PRECISION;

/** Which table codes row by row take, and what must agree between the two directions. */
export interface CodingPlan {
  readonly rows: number;
  readonly columns: number;
  readonly bits: number;
  readonly ladder: CodeLadder;
  readonly columnScales: Uint8Array;
  readonly rowScales: Uint8Array;
}

function frequencyTables({ ladder, bits }: CodingPlan): { frequencies: Uint16Array; starts: Uint16Array }[] {
  return Array.from({ length: ladder.count }, (_, scale) => {
    const frequencies = codeFrequencies(ladder.shape, ladder.firstScale + scale, bits);
    const starts = new Uint16Array(frequencies.length);
    for (let code = 1; code < starts.length; code++) starts[code] = starts[code - 1]! + frequencies[code - 1]!;
    return { frequencies, starts };
  });
}

/** rANS as in the paper, one code after the other, last code first. */
export function encodePlainly(codes: Uint8Array, plan: CodingPlan, lanes: number) {
  const tables = frequencyTables(plan);
  const { rows, columns, columnScales, rowScales } = plan;
  const states = new Float64Array(lanes).fill(LOWEST);
  const reversed: number[] = [];
  const exceptions: number[] = [];
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      const { frequencies, starts } = tables[columnScales[column]! + rowScales[row]!]!;
      let code = codes[row * columns + column]!;
      if (frequencies[code] === 0) {
        exceptions.push(row * columns + column);
        code = 1 << (plan.bits - 1);
      }
      const frequency = frequencies[code]!;
      const lane = column % lanes;
      let state = states[lane]!;
      if (state >= frequency * 2 ** (32 - PRECISION)) {
        reversed.push((state >>> 8) & 255, state & 255);
        state = Math.floor(state / LOWEST);
      }
      states[lane] = Math.floor(state / frequency) * TOTAL + (state % frequency) + starts[code]!;
    }
  }
  return {
    states: Uint32Array.from(states),
    words: Uint8Array.from(reversed.reverse()),
    exceptions: exceptions.reverse(),
  };
}

/** The inverse: codes `[rows, columns]`, or null when states or words do not end where they began. */
export function decodePlainly(start: Uint32Array, words: Uint8Array, plan: CodingPlan): Uint8Array | null {
  const tables = frequencyTables(plan);
  const { rows, columns, columnScales, rowScales } = plan;
  const codes = new Uint8Array(rows * columns);
  const states = Float64Array.from(start);
  const lanes = states.length;
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const { frequencies, starts } = tables[columnScales[column]! + rowScales[row]!]!;
      const lane = column % lanes;
      let state = states[lane]!;
      const slot = state % TOTAL;
      let code = 0;
      while (slot >= starts[code]! + frequencies[code]!) code++;
      codes[row * columns + column] = code;
      state = frequencies[code]! * Math.floor(state / TOTAL) + slot - starts[code]!;
      if (state < LOWEST) {
        if (at >= words.length) return null;
        state = state * LOWEST + words[at]! + 256 * words[at + 1]!;
        at += 2;
      }
      states[lane] = state;
    }
  }
  return at === words.length && states.every(state => state === LOWEST) ? codes : null;
}
