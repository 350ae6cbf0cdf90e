import { bytesPerRow, type CodeLayout, paddedColumns } from '../codeLayout.ts';
import { layOut } from '../wasm/layOut.ts';
import { openCoder } from '../wasm/openCoder.ts';
import { type CodeStream, LANES, LOWEST_STATE, readCodeStream, readVarint } from './codeStream.ts';
import { CodeStreamError } from './codeStreamError.ts';
import { type CodeTables, requireCodeTables } from './codeTables.ts';
import { DECODING_TABLE_BYTES, decodingTable } from './decodingTables.ts';

/** Codes decoded per call of the kernel: its input and output then leave room in the second cache for the tables. */
const CHUNK_CODES = 32768;

/**
 * Decodes what `encodeCodes` made of a packed weight into container bytes, padding and all.
 *
 * @param payload the stream, from anywhere.
 * @param layout where codes lie in `target`, as it was for the encoder.
 * @param tables the model's tables, as they were for the encoder.
 * @param target gets the container bytes: its length must be that of the layout. Undefined where the call throws.
 * @throws CodeStreamError when the payload is damaged or belongs to another layout or other tables; nothing is then read or
 * written out of bounds. RangeError when layout, tables or target are out of range.
 * Cost: some 10 instructions a code; 16 KB for each table in use, which stay as long as `tables` does, and 200 KB.
 */
export function decodeCodes(payload: Uint8Array, layout: CodeLayout, tables: CodeTables, target: Uint8Array): void {
  requireCodeTables(tables);
  const { rows, columns, bits } = layout;
  const byteCount = rows * bytesPerRow(paddedColumns(layout), bits);
  if (target.length !== byteCount) throw new RangeError(`${target.length} bytes to decode ${byteCount} into`);
  const stream = readCodeStream(payload, rows, columns, tables);
  if (byteCount > 0) decodeRows(stream, layout, tables, target);
  putExceptions(stream.exceptions, layout, target);
}

function decodeRows(stream: CodeStream, layout: CodeLayout, tables: CodeTables, target: Uint8Array): void {
  const { rows, columns, bits, padCode } = layout;
  const { columnScales, rowScales, words } = stream;
  const lanes = stream.states.length;
  const ladder = tables.ladders[stream.ladder]!;
  const lowestColumn = columnScales.reduce((least, scale) => Math.min(least, scale), 63);
  const lowestRow = rowScales.reduce((least, scale) => Math.min(least, scale), 63);
  const highestColumn = columnScales.reduce((most, scale) => Math.max(most, scale), 0);
  const highestRow = rowScales.reduce((most, scale) => Math.max(most, scale), 0);
  const lowest = lowestColumn + lowestRow;
  const tableCount = highestColumn + highestRow - lowest + 1;
  const rowBytes = bytesPerRow(paddedColumns(layout), bits);
  const groups = Math.ceil(rowBytes / bits);
  const chunkRows = Math.min(rows, Math.max(1, Math.floor(CHUNK_CODES / columns)));

  const { at, byteCount } = layOut({
    states: 4 * LANES,
    rowTables: 4 * chunkRows,
    pads: chunkRows,
    columnTables: 4 * columns,
    words: 2 * chunkRows * columns + 8,
    out: chunkRows * groups * bits,
    tables: tableCount * DECODING_TABLE_BYTES,
  });
  const { memory, decodeRows: run } = openCoder(byteCount);
  const bytes = new Uint8Array(memory.buffer);
  const states = new Uint32Array(memory.buffer, at.states, lanes);
  states.set(stream.states);
  for (let table = 0; table < tableCount; table++) {
    const slots = new Uint32Array(memory.buffer, at.tables + table * DECODING_TABLE_BYTES, DECODING_TABLE_BYTES / 4);
    slots.set(decodingTable(ladder, lowest + table, bits));
  }
  const columnTables = new Uint32Array(memory.buffer, at.columnTables, columns);
  columnScales.forEach((scale, column) => {
    columnTables[column] = (scale - lowestColumn) * DECODING_TABLE_BYTES;
  });
  const rowTables = new Uint32Array(memory.buffer, at.rowTables, chunkRows);

  let taken = 0;
  for (let start = 0; start < rows; start += chunkRows) {
    const count = Math.min(chunkRows, rows - start);
    for (let row = 0; row < count; row++) {
      rowTables[row] = at.tables + (rowScales[start + row]! - lowestRow) * DECODING_TABLE_BYTES;
      bytes[at.pads + row] = typeof padCode === 'number' ? padCode : padCode[start + row]!;
    }
    bytes.set(words.subarray(taken, taken + 2 * count * columns), at.words);
    const from = at.words;
    const { states: statesAt, rowTables: rowsAt, columnTables: columnsAt, pads, out } = at;
    taken += run(statesAt, from, rowsAt, columnsAt, pads, count, columns, groups, out, bits, lanes) - from;
    if (taken > words.length) throw new CodeStreamError('the codes end early');
    copyRows(bytes.subarray(at.out), groups * bits, target, start * rowBytes, rowBytes, count);
  }
  if (taken !== words.length || states.some(state => state !== LOWEST_STATE)) {
    throw new CodeStreamError('the codes do not end where they should');
  }
}

/** Copies rows that lie `stride` bytes apart to where they follow each other. */
function copyRows(
  from: Uint8Array,
  stride: number,
  to: Uint8Array,
  start: number,
  rowBytes: number,
  count: number,
): void {
  if (stride === rowBytes) {
    to.set(from.subarray(0, count * rowBytes), start);
    return;
  }
  for (let row = 0; row < count; row++) {
    to.set(from.subarray(row * stride, row * stride + rowBytes), start + row * rowBytes);
  }
}

function putExceptions(exceptions: Uint8Array, layout: CodeLayout, target: Uint8Array): void {
  const { rows, columns, bits } = layout;
  const rowBytes = bytesPerRow(paddedColumns(layout), bits);
  const cursor = { bytes: exceptions, at: 0 };
  for (let position = -1; cursor.at < exceptions.length; ) {
    position += readVarint(cursor) + 1;
    const code = exceptions[cursor.at++];
    if (position >= rows * columns || code === undefined || code >> bits !== 0) {
      throw new CodeStreamError('an exception that is none');
    }
    const bit = (position % columns) * bits;
    const at = Math.floor(position / columns) * rowBytes + (bit >> 3);
    const mask = ((1 << bits) - 1) << (bit & 7);
    target[at] = (target[at]! & ~mask) | (code << (bit & 7));
  }
}
