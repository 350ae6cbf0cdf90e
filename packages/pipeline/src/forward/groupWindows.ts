import type { TokenWindow } from '@quern/core';

/** Tokens that go through the blocks together: opening a block costs little beside so many, and their hidden states fit in memory. */
const GROUP_TOKENS = 32768;

/** Cuts a text into groups of windows, in order; the last may be small. */
export function groupWindows(windows: readonly TokenWindow[], groupTokens = GROUP_TOKENS): TokenWindow[][] {
  const groups: TokenWindow[][] = [];
  let room = 0;
  for (const window of windows) {
    if (groups.length === 0 || room < window.ids.length) {
      groups.push([]);
      room = groupTokens;
    }
    groups.at(-1)!.push(window);
    room -= window.ids.length;
  }
  return groups;
}
