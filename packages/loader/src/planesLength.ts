/** Bytes of so many codes as bit planes: one for the lowest code, then each plane filled up to whole bytes; none for no width. */
export function planesLength(count: number, width: number): number {
  if (width === 0) return 0;
  const planes = [8, 4, 2, 1].filter(plane => (width & plane) !== 0);
  return planes.reduce((sum, plane) => sum + Math.ceil((count * plane) / 8), 1);
}
