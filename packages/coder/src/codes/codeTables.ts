import { SCALE_COUNT, SHAPE_COUNT } from './codeFamily.ts';

/** Neighbouring members of the family: one shape, `count` scales from `firstScale` on. */
export interface CodeLadder {
  readonly shape: number;
  readonly firstScale: number;
  readonly count: number;
}

/** The code tables of a model: a plain record of a few bytes, for JSON. A stream takes its tables from one ladder. */
export interface CodeTables {
  readonly ladders: readonly CodeLadder[];
}

/** Tables that a model may have: what bounds a decoder's memory. */
export const MAXIMUM_TABLES = 64;

/** Checks tables from outside. @throws RangeError when a number is out of its range or there are too many tables. */
export function requireCodeTables(tables: CodeTables): void {
  let total = 0;
  for (const { shape, firstScale, count } of tables.ladders) {
    const whole = Number.isInteger(shape) && Number.isInteger(firstScale) && Number.isInteger(count);
    if (
      !whole ||
      shape < 0 ||
      shape >= SHAPE_COUNT ||
      firstScale < 0 ||
      count < 1 ||
      firstScale + count > SCALE_COUNT
    ) {
      throw new RangeError(`no code tables of shape ${shape} with scales ${firstScale} to ${firstScale + count - 1}`);
    }
    total += count;
  }
  if (total < 1 || total > MAXIMUM_TABLES) throw new RangeError(`${total} code tables; 1 to ${MAXIMUM_TABLES} may be`);
}
