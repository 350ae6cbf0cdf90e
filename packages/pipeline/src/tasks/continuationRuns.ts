import type { TokenWindow } from '@quern/core';
import { BRANCHES, batchWindows, type PackedBranches, packBranches } from '@quern/evaluator';
import type { NamedTensors } from '@quern/runtime';
import { type TokenRun, tokenRun } from '../forward/tokenRun.ts';

/** Windows that go through a model together, and where the first loss of each stands. */
export interface ContinuationRun extends TokenRun {
  readonly scored: readonly { readonly index: number; readonly row: number; readonly column: number }[];
}

export interface RunOptions {
  /** Whether the graph is one of `withBranches`: every run then brings positions and a bias. */
  readonly branching: boolean;
  /** Tokens of windows of one length that go together. */
  readonly batchTokens: number;
}

/**
 * What `scoreContinuations` runs, as runs for blocks: items that begin alike packed, one a run, in order; behind them the other windows in
 * batches of one length. `items` holds the indices of each item's windows. Masks are made when they are needed: they grow with the square
 * of a run's length.
 */
export function continuationRuns(
  windows: readonly TokenWindow[],
  items: readonly (readonly number[])[],
  { branching, batchTokens }: RunOptions,
): ContinuationRun[] {
  const runs: ContinuationRun[] = [];
  const alone: number[] = [];
  for (const item of items) {
    const pack = (): PackedBranches | null => packBranches(item.map(index => windows[index]!));
    const packed = branching ? pack() : null;
    if (!packed) {
      alone.push(...item);
      continue;
    }
    const { ids, targets, scoredFrom } = packed;
    const scored = item.map((index, branch) => ({ index, row: 0, column: scoredFrom[branch]! }));
    runs.push({ ids: [ids], targets, from: firstOf(scored), others: () => branchInputs(pack()!), scored });
  }
  const own = alone.map(index => windows[index]!);
  for (const batch of batchWindows(own, batchTokens)) {
    const scored = batch.map((at, row) => ({ index: alone[at]!, row, column: own[at]!.firstScored - 1 }));
    const run = tokenRun(batch.map(at => own[at]!.ids));
    const length = run.ids[0]!.length;
    const others = (): NamedTensors => branchInputs(unmasked(length));
    runs.push({ ...run, from: firstOf(scored), ...(branching ? { others } : {}), scored });
  }
  return runs;
}

function firstOf(scored: ContinuationRun['scored']): number {
  return scored.reduce((first, { column }) => Math.min(first, column), Number.POSITIVE_INFINITY);
}

function unmasked(length: number): Pick<PackedBranches, 'positions' | 'bias'> {
  return { positions: Int32Array.from({ length }, (_, at) => at), bias: new Float32Array(length * length) };
}

function branchInputs({ positions, bias }: Pick<PackedBranches, 'positions' | 'bias'>): NamedTensors {
  const { length } = positions;
  return {
    [BRANCHES.positions]: { type: 'int64', dims: [length], data: BigInt64Array.from(positions, BigInt) },
    [BRANCHES.bias]: { type: 'float32', dims: [1, 1, length, length], data: bias },
  };
}
