import { join } from 'node:path';
import type { TokenLosses } from '@quern/evaluator';
import type { Device } from '@quern/runtime';
import type { BlockModel } from './asBlocks.ts';
import { advanceBlock, type ForwardContext, startForward } from './blockForward.ts';
import { createHiddenStates, type HiddenStates } from './hiddenStates.ts';
import { lastColumns } from './lastColumns.ts';
import { type HeadModel, headOf } from './openHeadPart.ts';
import { scoreHeads } from './scoreHeads.ts';
import type { TokenRun } from './tokenRun.ts';

export interface BlockOptions {
  readonly device: Device;
  readonly threads?: number | undefined;
  /** A folder of its own for hidden states that memory has no room for; removed at the end. */
  readonly scratch: string;
  /** Bytes of a head, in float32, that are in memory at once; 32 MB unless given. */
  readonly sliceBytes?: number | undefined;
  /** The share of the work that is done, and where it stands. */
  readonly onProgress?: (share: number, place: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Losses of runs without ever opening a whole model: all runs go through one decoder block before the next
 * is opened, those of the baseline after those of the model; heads are read in slices of the vocabulary, both side by side.
 *
 * The same figures as those of whole models up to rounding, but that ranks end at 5. Where heads are sliced those of columns before a run's
 * `from` are left out, as `columns` tells.
 * Errors: those of `openSession`. Cost: the forward passes; one block's weights in float32 and packed, 256 MB of hidden states a model, the
 * rest of them (tokens x hidden size x 4 bytes) in `scratch`.
 */
export async function lossesByBlocks(
  own: BlockModel,
  baseline: BlockModel | null,
  runs: readonly TokenRun[],
  options: BlockOptions,
): Promise<TokenLosses[]> {
  if (runs.length === 0) return [];
  const { device, threads, signal, sliceBytes, onProgress } = options;
  const models = baseline ? [own, baseline] : [own];
  const stages = models.reduce((sum, { cuts }) => sum + cuts.length + 1, 0);
  const opened: HiddenStates[] = [];
  let before = 0;
  try {
    const heads: HeadModel[] = [];
    for (const [index, each] of models.entries()) {
      const hidden = createHiddenStates(join(options.scratch, String(index)));
      opened.push(hidden);
      const whose = index === 0 ? '' : ' of the baseline';
      const tell = (stage: number, place: string): void => onProgress?.((before + stage) / stages, `${place}${whose}`);
      heads.push(await moveToHead(each, textContext(each, runs, { ...options, hidden }), { tell }));
      before += each.cuts.length;
    }
    const isSliced = heads.every(({ head }) => head !== null);
    const onHead = (done: number, total: number): void =>
      onProgress?.((before + (models.length * done) / total) / stages, 'head');
    return await scoreHeads(heads[0]!, heads[1] ?? null, {
      ...{ runs: isSliced ? await lastColumns(opened, runs) : runs, device, threads, signal, sliceBytes },
      onProgress: onHead,
    });
  } finally {
    for (const hidden of opened) await hidden.close();
  }
}

/** What moves the hidden states of a text through a model. */
export function textContext(
  { model }: Pick<BlockModel, 'model'>,
  runs: readonly TokenRun[],
  { device, threads, signal, hidden }: Omit<BlockOptions, 'scratch'> & { readonly hidden: HiddenStates },
): ForwardContext {
  const read = async (run: number) => ({ kind: 'text' as const, ids: runs[run]!.ids });
  const others = (run: number) => runs[run]!.others?.() ?? {};
  const inputs = { runCount: runs.length, runsPerSum: 1, read, others };
  return { model, localize: async submodel => submodel, inputs, hidden, device, threads, signal };
}

export interface Movement {
  /** The block whose input the hidden states are; null where there are none yet. */
  readonly from?: number | null;
  /** Blocks done, a part of one with its runs, and where that is. */
  readonly tell?: (stage: number, place: string) => void;
  /** Called with the hidden states before each block, by its place among the cuts, and before the head, as they stand. */
  readonly onReach?: (index: number) => Promise<void>;
}

/** Moves hidden states through the blocks to what the head reads. */
export async function moveToHead(
  { model, cuts }: BlockModel,
  context: ForwardContext,
  { from = null, tell, onReach }: Movement,
): Promise<HeadModel> {
  if (from === null) await startForward(context, cuts[0]!);
  for (const [index, cut] of cuts.entries()) {
    if (index < (from ?? 0)) continue;
    await onReach?.(index);
    const { runCount } = context.inputs;
    const place = `block ${index + 1} of ${cuts.length}`;
    await advanceBlock(context, cut, done => tell?.(index + done / runCount, place));
  }
  const head = headOf(model);
  const { block, outputNames: inputNames } = cuts.at(-1)!;
  if (head && !inputNames.includes(head.inputName)) {
    await advanceBlock(context, { block: block + 1, inputNames, outputNames: [head.inputName] });
  }
  await onReach?.(cuts.length);
  return { model, head, hidden: context.hidden };
}
