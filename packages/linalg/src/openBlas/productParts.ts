/** Products of fewer multiply-adds stay whole: handing a part to another thread takes some 50 microseconds. */
const WORTH_CUTTING = 2 ** 25;
/** Least rows or columns of a part: each packs the other operand anew. */
const PART_LENGTH = 256;
const MOST_PARTS = 8;
/** Parts begin at multiples of this, which are whole tiles of the kernels. */
const ALIGNMENT = 64;

/** A rectangle of the result of a product. */
export interface ProductPart {
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
}

/**
 * Cuts the result `[m, n]` of a product over k along its longer side into parts for several threads. By its shape alone: sums may
 * run in another order in a part of another size, and bytes must not depend on the number of threads.
 */
export function productParts(m: number, n: number, k: number): ProductPart[] {
  const longer = Math.max(m, n);
  const count = m * n * k < WORTH_CUTTING ? 1 : Math.max(1, Math.min(MOST_PARTS, Math.floor(longer / PART_LENGTH)));
  const length = Math.ceil(longer / count / ALIGNMENT) * ALIGNMENT;
  const parts: ProductPart[] = [];
  for (let start = 0; start < longer; start += length) {
    const size = Math.min(length, longer - start);
    parts.push(
      m >= n ? { row: start, rows: size, column: 0, columns: n } : { row: 0, rows: m, column: start, columns: size },
    );
  }
  return parts;
}
