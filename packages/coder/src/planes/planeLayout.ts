import type { CodeLayout } from '../codeLayout.ts';

/** Widths of the planes that a width is made of, lowest bits first: 3 = 2 + 1, 7 = 4 + 2 + 1. */
export function planeWidths(width: number): readonly number[] {
  if (!Number.isInteger(width) || width < 1 || width > 8)
    throw new RangeError(`planes of width ${width}; 1 to 8 exist`);
  return [8, 4, 2, 1].filter(plane => (width & plane) !== 0);
}

/** Bytes of `packPlanes`' result: the codes at their true width, each plane rounded up to bytes, and one. */
export function planeBytes(layout: CodeLayout, width: number): number {
  const count = layout.rows * layout.columns;
  return planeWidths(width).reduce((sum, plane) => sum + Math.ceil((count * plane) / 8), 1);
}

/** Rows handled at once: few enough for the cache, a multiple of 8 so that every plane of them begins with a byte. */
export function rowsAtOnce(columns: number): number {
  return 8 * Math.max(1, Math.floor(8192 / Math.max(1, columns)));
}
