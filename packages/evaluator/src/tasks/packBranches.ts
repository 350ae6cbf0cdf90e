import type { TokenWindow } from '@quern/core';

/** The windows of one item as one sequence: what they begin with once, then what follows it in each, side by side. */
export interface PackedBranches {
  /** `[length]` input tokens. */
  readonly ids: Int32Array;
  /** `[length]` the token that follows each; 0 within the beginning, where nothing is scored. */
  readonly targets: Int32Array;
  /** `[length]` where each token stands in its own window. */
  readonly positions: Int32Array;
  /** `[length, length]` added to what a token (row) sees of another (column): 0, or MASKED for tokens of other windows. */
  readonly bias: Float32Array;
  /** Where the loss of token `firstScored` of each window stands. */
  readonly scoredFrom: readonly number[];
}

/** Leaves nothing of a score, in float32. */
const MASKED = -1e30;

/** A shorter beginning saves less than the mask costs. */
const SHORTEST = 8;

/**
 * Packs windows that begin alike; null where there is one window or too little in common.
 *
 * The beginning ends before the last token ahead of a scored one: every branch brings that token itself, so that its output predicts the
 * branch's own next token. Later tokens are hidden from earlier ones by causal attention; the mask only has to part the branches.
 */
export function packBranches(windows: readonly TokenWindow[]): PackedBranches | null {
  const shared = windows.length < 2 ? 0 : commonLength(windows);
  if (shared < SHORTEST) return null;
  const branches = windows.map(({ ids }) => ids.subarray(shared));
  const length = shared + branches.reduce((sum, branch) => sum + branch.length - 1, 0);
  const [ids, targets, positions] = [new Int32Array(length), new Int32Array(length), new Int32Array(length)];
  ids.set(windows[0]!.ids.subarray(0, shared));
  positions.set(Int32Array.from({ length: shared }, (_, position) => position));
  const bias = new Float32Array(length * length);
  const scoredFrom: number[] = [];
  let start = shared;
  for (const [index, branch] of branches.entries()) {
    const end = start + branch.length - 1;
    ids.set(branch.subarray(0, -1), start);
    targets.set(branch.subarray(1), start);
    for (let at = start; at < end; at++) {
      positions[at] = shared + at - start;
      bias.fill(MASKED, at * length + shared, at * length + start);
    }
    scoredFrom.push(start + windows[index]!.firstScored - 1 - shared);
    start = end;
  }
  return { ids, targets, positions, bias, scoredFrom };
}

function commonLength(windows: readonly TokenWindow[]): number {
  const first = windows[0]!.ids;
  let length = Math.min(...windows.map(({ firstScored }) => firstScored - 1));
  for (const { ids } of windows) {
    let same = 0;
    while (same < length && ids[same] === first[same]) same++;
    length = same;
  }
  return length;
}
