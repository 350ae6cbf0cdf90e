import {
  FIVE_COUNT,
  LOSS,
  type RunningLosses,
  runningLosses,
  SLICE,
  type SliceValues,
  sliceComparison,
  type TokenLosses,
} from '@quern/evaluator';
import { type Device, type Forward, findLogits, openForward, type PlainTensor } from '@quern/runtime';
import { listenForInterrupt } from '../interruption.ts';
import { releaseMemory } from '../solve/releaseMemory.ts';
import { byteLength } from './hiddenStates.ts';
import { type HeadModel, type HeadPart, logitsIn, openHeadPart, type VocabularySlice } from './openHeadPart.ts';
import { rowsPerSlice } from './rowsPerSlice.ts';
import type { TokenRun } from './tokenRun.ts';

export interface HeadRuns {
  readonly runs: readonly Pick<TokenRun, 'ids' | 'targets'>[];
  readonly device: Device;
  readonly threads?: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Bytes of the heads, in float32, that are in memory at once; 32 MB unless given. */
  readonly sliceBytes?: number | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Logits compared at once: 1 MiB in float32, so that the copies of a piece stay in the caches. */
const CHUNK_LOGITS = 2 ** 18;
const FIVE = 5;

/**
 * Losses of every run from what stands before the head, with the head, and the baseline's, read a slice of the vocabulary at a time.
 *
 * A head without slices is opened whole, and so is the other's then. Errors: those of `openForward`.
 * Cost: the heads' multiply-adds, and with a baseline about 6 ns a logit; heads are read once, hidden states once a slice; memory for a slice
 * and for one run's logits over it.
 */
export async function scoreHeads(own: HeadModel, baseline: HeadModel | null, runs: HeadRuns): Promise<TokenLosses[]> {
  const { device, signal, onProgress } = runs;
  const session = { device, ...(runs.threads === undefined ? {} : { threads: runs.threads }) };
  const running = runs.runs.map(({ ids, targets }) => runningLosses(targets.length, ids[0]!.length, baseline !== null));
  const slices = listSlices(own, baseline, runs.sliceBytes);
  const types = baseline && {
    model: findLogits(own.model).dataType,
    baseline: findLogits(baseline.model).dataType,
  };
  const comparison = types && (await openForward(sliceComparison(types), session));
  try {
    for (const [index, slice] of slices.entries()) {
      const parts: HeadPart[] = [];
      try {
        const losses = baseline ? null : [SLICE.max, SLICE.sum, SLICE.target];
        parts.push(await openHeadPart(own, slice, { ...session, losses }));
        if (baseline) parts.push(await openHeadPart(baseline, slice, { ...session, losses }));
        for (const [run, { ids, targets: all }] of runs.runs.entries()) {
          await listenForInterrupt(signal);
          const targets = { all, slice, dims: [ids.length, ids[0]!.length, 1] };
          if (comparison) {
            const [logits, other] = [await parts[0]!.run(run, ids), await parts[1]!.run(run, ids)];
            await addCompared(running[run]!, comparison, [logitsIn(logits), logitsIn(other)], targets);
            releaseMemory(byteLength(logits) + byteLength(other));
          } else {
            const values = await parts[0]!.run(run, ids, { [LOSS.targets]: targetTensor(targets) });
            running[run]!.add(values as SliceValues, { targets: targets.all, slice, from: 0 });
          }
          onProgress?.(index * runs.runs.length + run + 1, slices.length * runs.runs.length);
        }
      } finally {
        for (const part of parts) await part.close();
      }
    }
  } finally {
    await comparison?.close();
  }
  return running.map(losses => losses.finish());
}

function listSlices(own: HeadModel, baseline: HeadModel | null, sliceBytes?: number): VocabularySlice[] {
  const heads = [own.head, ...(baseline ? [baseline.head] : [])];
  const sliced = heads.filter(head => head !== null);
  const size = sliced[0]?.vocabularySize ?? findLogits(own.model).vocabularySize ?? Number.MAX_SAFE_INTEGER;
  if (sliced.length < heads.length) return [{ start: 0, size }];
  const widest = Math.max(...sliced.map(({ hiddenSize }) => hiddenSize));
  const rows = rowsPerSlice(heads.length * widest, sliceBytes);
  return Array.from({ length: Math.ceil(size / rows) }, (_, slice) => ({
    start: slice * rows,
    size: Math.min(rows, size - slice * rows),
  }));
}

/** Targets of a run beside a slice of the vocabulary, which may not hold them. */
interface SliceTargets {
  readonly all: Int32Array;
  readonly slice: VocabularySlice;
  readonly dims: readonly number[];
}

/** Places in the slice; of a target that lies elsewhere any place. */
function targetTensor({ all, slice, dims }: SliceTargets): PlainTensor {
  return { type: 'int32', dims, data: all.map(id => Math.min(Math.max(id - slice.start, 0), slice.size - 1)) };
}

async function addCompared(
  running: RunningLosses,
  comparison: Forward,
  [logits, other]: readonly [PlainTensor, PlainTensor],
  { all, slice }: SliceTargets,
): Promise<void> {
  const size = logits.dims.at(-1)!;
  const rows = Math.max(1, Math.floor(CHUNK_LOGITS / size));
  const five = { type: 'int64', dims: [1], data: BigInt64Array.of(BigInt(Math.min(FIVE, size))) } as const;
  for (let from = 0; from < all.length; from += rows) {
    const targets = all.subarray(from, from + rows);
    const part = (tensor: PlainTensor): PlainTensor => ({
      type: tensor.type,
      dims: [1, targets.length, size],
      data: tensor.data.subarray(from * size, (from + targets.length) * size),
    });
    const tensors = {
      [LOSS.targets]: targetTensor({ all: targets, slice, dims: [1, targets.length, 1] }),
      [LOSS.modelLogits]: part(logits),
      [LOSS.baselineLogits]: part(other),
      [FIVE_COUNT]: five,
    };
    const values = await comparison.run({ kind: 'tensors', tensors }, {}, Object.values(SLICE));
    running.add(values as SliceValues, { targets, slice, from });
  }
}
