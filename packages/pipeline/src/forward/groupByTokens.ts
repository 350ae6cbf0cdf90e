/** Tokens that go through the blocks together: opening a block costs little beside so many, and their hidden states fit in memory. */
const GROUP_TOKENS = 32768;

/** Cuts what is scored into groups, in order; the last may be small. */
export function groupByTokens<Entry>(
  entries: readonly Entry[],
  tokensOf: (entry: Entry) => number,
  groupTokens = GROUP_TOKENS,
): Entry[][] {
  const groups: Entry[][] = [];
  let room = 0;
  for (const entry of entries) {
    const tokens = tokensOf(entry);
    if (groups.length === 0 || room < tokens) {
      groups.push([]);
      room = groupTokens;
    }
    groups.at(-1)!.push(entry);
    room -= tokens;
  }
  return groups;
}
