/** A value as JSON for a file, indented, but a list of numbers on one line: curves of many sites stay readable. */
export function toJsonText(value: unknown): string {
  // A string holds no line break of its own, so a bracket before one is a list's.
  const text = JSON.stringify(value, null, 2).replace(/\[\n\s+(-?\d[^[\]{}":]*?)\n\s*\]/g, (_, numbers: string) => {
    return `[${numbers.split(/,\s+/).join(', ')}]`;
  });
  return `${text}\n`;
}
