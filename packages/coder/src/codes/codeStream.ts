import { checksum } from './checksum.ts';
import { CodeStreamError } from './codeStreamError.ts';
import type { CodeTables } from './codeTables.ts';
import { decodeNumbers, encodeNumbers, fitNumberModel, type NumberModel } from './numberCoding.ts';

/** States that decode together; code of column c belongs to state c mod 16. */
export const LANES = 16;

/** States start here and, but for this, lie in [LOWEST_STATE, 2^32): what decoding must end with. */
export const LOWEST_STATE = 65536;

/** Set beside the number of the ladder in a stream with one state. */
const ONE_STATE = 0x80;

const VERSION = 1;
/** Checksum, version, ladder, two number models. */
const FIXED_BYTES = 10;

/**
 * What stands in a stream, little-endian:
 *
 * | bytes | |
 * |---|---|
 * | 4 | checksum of all that follows |
 * | 1 | version |
 * | 1 | number of the ladder; + 128 where one state codes all columns, and not sixteen |
 * | 2 x 2 | models of the column and row scales: family number + 512 x centre |
 * | 1-7 each | lengths of the next two parts, 7 bits a byte |
 * | | column scales and row scales; exceptions |
 * | 1 or 16 x 4 | states after the last code: where decoding begins |
 * | 2 each | words that states take in, in the order of decoding |
 */
export interface CodeStream {
  readonly ladder: number;
  readonly columnScales: Uint8Array;
  readonly rowScales: Uint8Array;
  /** Codes that their table lacks: gap to the one before (7 bits a byte, row by row), then the code. */
  readonly exceptions: Uint8Array;
  /** One or LANES. */
  readonly states: Uint32Array;
  readonly words: Uint8Array;
}

/** One stream as bytes. */
export function writeCodeStream(stream: CodeStream): Uint8Array {
  const { ladder, columnScales, rowScales, exceptions, states, words } = stream;
  const columnModel = fitNumberModel(columnScales);
  const rowModel = fitNumberModel(rowScales);
  const scales = encodeNumbers([
    { numbers: columnScales, model: columnModel },
    { numbers: rowScales, model: rowModel },
  ]);
  const lengths: number[] = [];
  for (const part of [scales, exceptions]) appendVarint(lengths, part.length);
  const statesAt = FIXED_BYTES + lengths.length + scales.length + exceptions.length;
  const wordsAt = statesAt + 4 * states.length;
  const bytes = new Uint8Array(wordsAt + words.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(4, VERSION);
  view.setUint8(5, ladder + (states.length === 1 ? ONE_STATE : 0));
  view.setUint16(6, packModel(columnModel), true);
  view.setUint16(8, packModel(rowModel), true);
  bytes.set(lengths, FIXED_BYTES);
  bytes.set(scales, FIXED_BYTES + lengths.length);
  bytes.set(exceptions, statesAt - exceptions.length);
  states.forEach((state, lane) => {
    view.setUint32(statesAt + 4 * lane, state, true);
  });
  bytes.set(words, wordsAt);
  view.setUint32(0, checksum(bytes.subarray(4)), true);
  return bytes;
}

/** The inverse. @throws CodeStreamError unless the bytes are a stream for this many rows and columns and these tables. */
export function readCodeStream(bytes: Uint8Array, rows: number, columns: number, tables: CodeTables): CodeStream {
  if (bytes.length < FIXED_BYTES + 2) throw new CodeStreamError(`${bytes.length} bytes are too few`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== checksum(bytes.subarray(4))) throw new CodeStreamError('the checksum differs');
  if (bytes[4] !== VERSION) throw new CodeStreamError(`version ${bytes[4]}, this reads ${VERSION}`);
  const ladder = bytes[5]! & ~ONE_STATE;
  const tableCount = tables.ladders[ladder]?.count;
  if (tableCount === undefined) throw new CodeStreamError(`no tables number ${ladder}`);
  const cursor = { bytes, at: FIXED_BYTES };
  const scaleBytes = readVarint(cursor);
  const exceptionBytes = readVarint(cursor);
  const stateCount = (bytes[5]! & ONE_STATE) === 0 ? LANES : 1;
  const exceptionsAt = cursor.at + scaleBytes;
  const statesAt = exceptionsAt + exceptionBytes;
  const wordsAt = statesAt + 4 * stateCount;
  if (wordsAt > bytes.length || (bytes.length - wordsAt) % 2 !== 0) {
    throw new CodeStreamError('a part ends beyond the end');
  }
  // Where there are no codes, the other side of the matrix may have any length: nothing is stored for it.
  const [columnScales, rowScales] = decodeNumbers(bytes.subarray(cursor.at, exceptionsAt), [
    { count: rows > 0 ? columns : 0, model: unpackModel(view.getUint16(6, true)) },
    { count: columns > 0 ? rows : 0, model: unpackModel(view.getUint16(8, true)) },
  ]);
  if (highest(columnScales!) + highest(rowScales!) >= tableCount) throw new CodeStreamError('a scale without a table');
  return {
    ladder,
    columnScales: columnScales!,
    rowScales: rowScales!,
    exceptions: bytes.subarray(exceptionsAt, statesAt),
    states: Uint32Array.from({ length: stateCount }, (_, lane) => view.getUint32(statesAt + 4 * lane, true)),
    words: bytes.subarray(wordsAt),
  };
}

export function appendVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
}

/** @throws CodeStreamError when the number does not end within 7 bytes or the bytes do. */
export function readVarint(cursor: { readonly bytes: Uint8Array; at: number }): number {
  let value = 0;
  for (let factor = 1; factor < 2 ** 49; factor *= 128) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) break;
    value += (byte & 127) * factor;
    if (byte < 128) return value;
  }
  throw new CodeStreamError('a number does not end');
}

function packModel({ family, centre }: NumberModel): number {
  return family + 512 * centre;
}

function unpackModel(packed: number): NumberModel {
  const model = { family: packed % 512, centre: Math.floor(packed / 512) };
  if (model.centre > 63) throw new CodeStreamError('no model of scales');
  return model;
}

function highest(numbers: Uint8Array): number {
  let most = 0;
  for (const number of numbers) most = Math.max(most, number);
  return most;
}
