import type { CutPart } from './cutParts.ts';
import type { CutText } from './cutWindows.ts';

/** A text from all its parts. */
export function joinParts(parts: readonly CutPart[]): CutText {
  return {
    windows: parts.flatMap(({ windows }) => windows),
    byteCount: parts.reduce((sum, { byteCount }) => sum + byteCount, 0),
    byteCounts: Int32Array.from(parts.flatMap(({ byteCounts }) => [...byteCounts])),
    wordCounts: Int32Array.from(parts.flatMap(({ wordCounts }) => [...wordCounts])),
  };
}
