/**
 * Where a block of lazy updates that starts at `blockStart` ends, at most blockSize columns later.
 *
 * A group's grid comes from its columns as all earlier columns left them. A group inside one block finds them there; a group
 * that would reach past the block must start the next one, when everything is up to date. Published code that skips this lets
 * blockSize change the result.
 */
export function nextBlockEnd(blockStart: number, blockSize: number, groupSize: number, columnCount: number): number {
  const blockEnd = Math.min(blockStart + blockSize, columnCount);
  const lastGroupStart = Math.floor((blockEnd - 1) / groupSize) * groupSize;
  const lastGroupEnd = Math.min(lastGroupStart + groupSize, columnCount);
  return lastGroupStart > blockStart && lastGroupEnd > blockEnd ? lastGroupStart : blockEnd;
}
