import { SCALE_COUNT, SHAPE_COUNT } from './codeFamily.ts';
import { columnLengths } from './codeLength.ts';
import { type CodeLadder, type CodeTables, MAXIMUM_TABLES } from './codeTables.ts';
import type { CodeCounts } from './countCodes.ts';

/** Scales beyond those of the columns: rows that are narrower or wider than the rest need them. */
const MARGIN = 4;

/**
 * The code tables for a model: the shape that codes all columns in the fewest bits, at every scale that a column wants; and the
 * next lighter shape, where there is room, because columns look heavier than they are while rows of differing scale are mixed.
 *
 * @param counts one entry a tensor; read once, so a generator may make them one after the other.
 * @param options `maximum`: tables at most, 1 to 64.
 * Cost: that of `codeLength` for every column.
 */
export function fitCodeTables(counts: Iterable<CodeCounts>, options: { readonly maximum: number }): CodeTables {
  const maximum = Math.max(1, Math.min(MAXIMUM_TABLES, Math.floor(options.maximum)));
  const lengths = new Float64Array(SHAPE_COUNT);
  // Bits of the columns that want a member, shape by shape.
  const wanted = new Float64Array(SHAPE_COUNT * SCALE_COUNT);
  for (const { bits, columns, counts: all } of counts) {
    for (let column = 0; column < columns; column++) {
      for (const { family, bits: length } of columnLengths(all.subarray(column << bits, (column + 1) << bits))) {
        lengths[Math.floor(family / SCALE_COUNT)]! += length;
        wanted[family]! += 1 + length;
      }
    }
  }
  const best = lengths.indexOf(Math.min(...lengths));
  const ladders = laddersOf(wanted.subarray(best * SCALE_COUNT, (best + 1) * SCALE_COUNT), best, maximum);
  const used = ladders.reduce((sum, ladder) => sum + ladder.count, 0);
  if (best === 0 || 2 * used > maximum) return { ladders };
  return { ladders: [...ladders, ...ladders.map(ladder => ({ ...ladder, shape: best - 1 }))] };
}

/** Runs of scales that hold every wanted one with a margin; while they are too many, the least wanted end goes. */
function laddersOf(wanted: Float64Array, shape: number, maximum: number): CodeLadder[] {
  const taken = new Float64Array(SCALE_COUNT);
  for (let scale = 0; scale < SCALE_COUNT; scale++) {
    if (wanted[scale] === 0) continue;
    for (let near = Math.max(0, scale - MARGIN); near <= Math.min(SCALE_COUNT - 1, scale + MARGIN); near++) {
      taken[near] = Math.max(taken[near]!, near === scale ? wanted[scale]! : Number.MIN_VALUE);
    }
  }
  if (!taken.some(weight => weight > 0)) taken[0] = 1;
  for (;;) {
    const ladders: CodeLadder[] = [];
    for (let scale = 0; scale < SCALE_COUNT; scale++) {
      if (taken[scale] === 0) continue;
      const last = ladders.at(-1);
      if (last !== undefined && last.firstScale + last.count === scale) {
        ladders[ladders.length - 1] = { ...last, count: last.count + 1 };
      } else ladders.push({ shape, firstScale: scale, count: 1 });
    }
    if (ladders.reduce((sum, ladder) => sum + ladder.count, 0) <= maximum) return ladders;
    const ends = ladders.flatMap(({ firstScale, count }) => [firstScale, firstScale + count - 1]);
    taken[ends.reduce((least, end) => (taken[end]! < taken[least]! ? end : least))] = 0;
  }
}
