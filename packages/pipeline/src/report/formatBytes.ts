const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes with three significant digits in decimal units: `3.15 MB` is 3.15 million bytes. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  let unit = 0;
  let value = bytes;
  // 999.5 would be printed as 1000.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toPrecision(3)} ${UNITS[unit]}`;
}
