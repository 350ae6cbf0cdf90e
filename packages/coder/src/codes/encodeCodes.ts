import type { CodeLayout } from '../codeLayout.ts';
import { unpackBlocks } from '../unpackBlocks.ts';
import { layOut } from '../wasm/layOut.ts';
import { openCoder } from '../wasm/openCoder.ts';
import { type CodeMatrix, chooseScales, type ScaleChoice } from './chooseScales.ts';
import { appendVarint, LANES, LOWEST_STATE, writeCodeStream } from './codeStream.ts';
import { type CodeLadder, type CodeTables, requireCodeTables } from './codeTables.ts';
import { ENTRY_BYTES, encodingTable } from './encodingTable.ts';
import { requirePadding } from './requirePadding.ts';

/** Codes encoded per call of the kernel. */
const CHUNK_CODES = 32768;

/** Matrices of at most so many codes get one state: fifteen more would take 60 bytes, and speed matters less. */
export const ONE_STATE_CODES = 65536;

/**
 * Entropy-codes the codes of a packed weight without loss: the inverse of `decodeCodes`.
 *
 * Every column, and where it pays every row, gets a number; their sum says which table of a ladder codes what stands where they
 * cross. The codes then go row by row through rANS (Duda, arXiv:1311.2540) with states of 32 bits and words of 16; where the
 * matrix is not small there are sixteen states (interleaved as in Giesen, arXiv:1402.3392), column c taking state c mod 16. Codes
 * too rare for their table stand in a list of exceptions, so that whatever the codes are they come back.
 *
 * @param bytes container bytes of the layout.
 * @param layout where codes lie in `bytes`. Their padding must be `padCode`; it is not stored.
 * @param tables those of the model; a tensor takes the ladder that codes it in the fewest bits.
 * @returns the stream; see `CodeStream` for what stands in it.
 * @throws RangeError when layout, tables or padding are out of range.
 * Cost: `chooseScales` for each ladder and some 15 instructions a code; a byte of scratch a code.
 */
export function encodeCodes(bytes: Uint8Array, layout: CodeLayout, tables: CodeTables): Uint8Array {
  requireCodeTables(tables);
  const { rows, columns, bits } = layout;
  const codes = unpackBlocks(bytes, layout);
  requirePadding(bytes, layout);
  const matrix: CodeMatrix = { codes, rows, columns, bits };
  const choice = chooseScales(matrix, tables.ladders);
  const { states, words, missing } = encodeRows(matrix, tables.ladders[choice.ladder]!, choice);
  return writeCodeStream({ ...choice, exceptions: exceptionsOf(missing, codes), states, words });
}

/** What `encodeRows` returns: where decoding begins, and the positions of codes that their table lacks, rising. */
interface EncodedRows {
  readonly states: Uint32Array;
  readonly words: Uint8Array;
  readonly missing: readonly number[];
}

function encodeRows(matrix: CodeMatrix, ladder: CodeLadder, { columnScales, rowScales }: ScaleChoice): EncodedRows {
  const { codes, rows, columns, bits } = matrix;
  const chunkRows = Math.max(1, Math.min(rows, Math.floor(CHUNK_CODES / columns)));
  const chunkCodes = chunkRows * columns;
  const tableBytes = ENTRY_BYTES << bits;
  const lanes = rows * columns > ONE_STATE_CODES ? LANES : 1;
  const { at, byteCount } = layOut({
    states: 8 * LANES,
    rowTables: 4 * chunkRows,
    columnTables: 4 * columns,
    codes: chunkCodes,
    words: 2 * chunkCodes,
    missing: 4 * chunkCodes + 4,
    tables: ladder.count * tableBytes,
  });
  const { memory, encodeRows: run } = openCoder(byteCount);
  const bytes = new Uint8Array(memory.buffer);
  const states = new BigUint64Array(memory.buffer, at.states, lanes).fill(BigInt(LOWEST_STATE));
  for (let scale = 0; scale < ladder.count; scale++) {
    bytes.set(encodingTable(ladder, scale, bits), at.tables + scale * tableBytes);
  }
  const columnTables = new Uint32Array(memory.buffer, at.columnTables, columns);
  columnScales.forEach((scale, column) => {
    columnTables[column] = scale * tableBytes;
  });
  const rowTables = new Uint32Array(memory.buffer, at.rowTables, chunkRows);

  const parts: Uint8Array[] = [];
  const missing: number[] = [];
  const wordsEnd = at.words + 2 * chunkCodes;
  for (let end = rows; end > 0; end -= chunkRows) {
    const start = Math.max(0, end - chunkRows);
    const count = end - start;
    for (let row = 0; row < count; row++) rowTables[row] = at.tables + rowScales[start + row]! * tableBytes;
    bytes.set(codes.subarray(start * columns, end * columns), at.codes);
    const first = run(at.states, wordsEnd, at.rowTables, at.columnTables, count, columns, at.codes, at.missing, lanes);
    parts.push(bytes.slice(first, wordsEnd));
    const [missingCount] = new Uint32Array(memory.buffer, at.missing, 1);
    const positions = new Uint32Array(memory.buffer, at.missing + 4, missingCount);
    for (const position of positions) missing.push(start * columns + position);
  }
  return { states: Uint32Array.from(states, Number), words: join(parts.reverse()), missing: missing.reverse() };
}

function exceptionsOf(positions: readonly number[], codes: Uint8Array): Uint8Array {
  const list: number[] = [];
  let previous = -1;
  for (const position of positions) {
    appendVarint(list, position - previous - 1);
    list.push(codes[position]!);
    previous = position;
  }
  return Uint8Array.from(list);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
