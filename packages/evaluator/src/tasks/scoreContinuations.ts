import { setImmediate } from 'node:timers/promises';
import { CompressionError, type TokenWindow } from '@quern/core';
import type { OnnxModel } from '@quern/onnx';
import { describeModel, deviceMemory, findLogits, openSession, runSession, textFeeds } from '@quern/runtime';
import { Tensor } from 'onnxruntime-node';
import { batchLimit } from '../batchLimit.ts';
import { batchWindows } from '../batchWindows.ts';
import { checkWindows } from '../checkWindows.ts';
import { LOSS } from '../lossNodes.ts';
import { openScorer } from '../openScorer.ts';
import type { ScoreOptions } from '../scoreWindows.ts';
import { withLoss } from '../withLoss.ts';
import { addContinuation, type ContinuationScores, emptyContinuations } from './addContinuation.ts';
import { type PackedBranches, packBranches } from './packBranches.ts';
import { BRANCHES, withBranches } from './withBranches.ts';

/**
 * Scores the continuation of every window: the sum of ln p from `firstScored` on, and whether greedy decoding would have written it.
 *
 * `items` holds the indices of the windows that belong together. What they begin with is computed once, where the graph lets attention be
 * masked (`withBranches`): one item a run, its windows side by side. Other windows go in batches of one length. Either way the figures
 * depend neither on the order nor on `batchTokens`; the two ways differ by float32 rounding. Losses are reduced in the graph and added
 * in float64.
 * Errors: those of `scoreWindows`. Cost: a forward pass over what differs and about 1.5 ns a logit; sessions one after the other.
 */
export async function scoreContinuations(
  model: OnnxModel,
  windows: readonly TokenWindow[],
  items: readonly (readonly number[])[],
  options: Omit<ScoreOptions, 'baseline'>,
): Promise<ContinuationScores> {
  checkWindows(windows, findLogits(model).vocabularySize);
  const scores = emptyContinuations(windows.length);
  const branching = withBranches(model, options.device);
  const packed = branching ? items.filter(indices => packBranches(indices.map(index => windows[index]!)) !== null) : [];
  const inPacked = new Set(packed.flat());
  const alone = items.flat().filter(index => !inPacked.has(index));
  const tell = progress(windows, options);
  if (branching && packed.length > 0) await scorePacked(branching, windows, packed, { options, scores, tell });
  if (alone.length > 0) await scoreWhole(model, windows, alone, { options, scores, tell });
  return scores;
}

interface Scoring {
  readonly options: Omit<ScoreOptions, 'baseline'>;
  readonly scores: ContinuationScores;
  /** To be called before each run with the windows that were done in the one before. */
  readonly tell: (done: readonly number[]) => Promise<void>;
}

/** Counts tokens as they stand in the windows, however few of them are computed. */
function progress(windows: readonly TokenWindow[], options: Scoring['options']): Scoring['tell'] {
  const total = windows.reduce((sum, { ids }) => sum + ids.length, 0);
  let done = 0;
  return async indices => {
    for (const index of indices) done += windows[index]!.ids.length;
    if (indices.length > 0) options.onProgress?.(done, total);
    // A pass blocks the event loop: without a turn of it nobody would have heard a signal.
    await setImmediate();
    if (options.signal?.aborted) throw new CompressionError('INTERRUPTED', 'Scoring was stopped.', { done, total });
  };
}

async function scorePacked(
  branching: OnnxModel,
  windows: readonly TokenWindow[],
  items: readonly (readonly number[])[],
  { options, scores, tell }: Scoring,
): Promise<void> {
  const session = await openSession(withLoss(branching, options.device), options);
  try {
    await tell([]);
    for (const indices of items) {
      const branches = packBranches(indices.map(index => windows[index]!))!;
      const feeds = textFeeds(session, { ids: [branches.ids], others: feedsOf(branches) });
      const values = await runSession(session, feeds, describeModel(branching), [LOSS.nll, LOSS.logConfidence]);
      const losses = { nll: floats(values, LOSS.nll), logConfidence: floats(values, LOSS.logConfidence) };
      for (const [branch, index] of indices.entries()) {
        addContinuation(scores, losses, { at: branches.scoredFrom[branch]!, index, window: windows[index]! });
      }
      await tell(indices);
    }
  } finally {
    await session.release();
  }
}

function feedsOf({ positions, bias, targets }: PackedBranches): Record<string, Tensor> {
  const { length } = positions;
  return {
    [LOSS.targets]: new Tensor('int32', targets, [1, length, 1]),
    [BRANCHES.positions]: new Tensor('int64', BigInt64Array.from(positions, BigInt), [length]),
    [BRANCHES.bias]: new Tensor('float32', bias, [1, 1, length, length]),
  };
}

async function scoreWhole(
  model: OnnxModel,
  windows: readonly TokenWindow[],
  indices: readonly number[],
  { options, scores, tell }: Scoring,
): Promise<void> {
  const own = indices.map(index => windows[index]!);
  const limit = batchLimit({
    device: options.device,
    memoryBytes: await deviceMemory(options.device),
    vocabularySize: findLogits(model).vocabularySize,
    windowLength: own.reduce((longest, { ids }) => Math.max(longest, ids.length), 1),
    compares: false,
  });
  const scorer = await openScorer(model, options);
  try {
    await tell([]);
    for (const batch of batchWindows(own, options.batchTokens ?? limit)) {
      const losses = await scorer.score(batch.map(at => own[at]!.ids));
      for (const [row, at] of batch.entries()) {
        const window = own[at]!;
        addContinuation(scores, losses, {
          at: row * (window.ids.length - 1) + window.firstScored - 1,
          index: indices[at]!,
          window,
        });
      }
      await tell(batch.map(at => indices[at]!));
    }
  } finally {
    await scorer.release();
  }
}

function floats(values: Readonly<Record<string, Tensor>>, name: string): Float32Array {
  return values[name]!.data as Float32Array;
}
