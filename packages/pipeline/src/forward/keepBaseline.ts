import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TokenWindow } from '@quern/core';
import { type KeptLogits, keepLogits } from '@quern/evaluator';
import type { OnnxModel } from '@quern/onnx';
import { type Device, findLogits } from '@quern/runtime';
import { asBlocks, type BlockModel } from './asBlocks.ts';
import { createHiddenStates } from './hiddenStates.ts';
import { moveToHead, textContext } from './lossesByBlocks.ts';
import { headOf } from './openHeadPart.ts';
import { tokenRun } from './tokenRun.ts';

/**
 * What variants of a model are measured against, in a folder: its logits on a few windows, or of a large model what stands before each
 * of its blocks, and before its head. A plain record, for threads.
 */
export interface KeptBaseline {
  readonly folder: string;
  readonly windows: readonly TokenWindow[];
  /** Null where states are kept. */
  readonly logits: KeptLogits | null;
}

export interface BaselineOptions {
  readonly device: Device;
  readonly threads?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs windows through a model and keeps what variants of it are compared with.
 *
 * Errors: those of `openSession`. Cost: one forward pass; on disk 4 bytes for each of tokens x vocabulary, of a large model for each of
 * tokens x hidden size x (blocks + 1).
 */
export async function keepBaseline(
  model: OnnxModel,
  windows: readonly TokenWindow[],
  folder: string,
  options: BaselineOptions,
): Promise<KeptBaseline> {
  const blocks = asBlocks(model, options.device);
  if (blocks) return keepStates(blocks, windows, folder, options);
  const { signal: _, ...session } = options;
  await mkdir(folder, { recursive: true });
  return { folder, windows, logits: await keepLogits(model, windows, join(folder, 'logits'), session) };
}

/** `keepBaseline` of a large model. */
export async function keepStates(
  blocks: BlockModel,
  windows: readonly TokenWindow[],
  folder: string,
  options: BaselineOptions,
): Promise<KeptBaseline> {
  const runs = windows.map(({ ids }) => tokenRun([ids]));
  const hidden = createHiddenStates(join(folder, 'moving'));
  try {
    const onReach = async (index: number): Promise<void> => {
      const kept = statesBefore(folder, index);
      for (const run of runs.keys()) await kept.write(run, await hidden.read(run));
    };
    await moveToHead(blocks, textContext(blocks, runs, { ...options, hidden }), { onReach });
  } finally {
    await hidden.close();
  }
  return { folder, windows, logits: null };
}

/** What was kept before the block at this place among the cuts; before the head behind the last. */
export function statesBefore(folder: string, index: number) {
  return createHiddenStates(join(folder, `before-${index}`), 0);
}

/** Bytes that may be kept of a baseline. */
const KEPT_BYTES = 1e9;

/** As many windows as may be kept, at least one. */
export function windowsThatFit(
  model: OnnxModel,
  windows: readonly TokenWindow[],
  device: Device,
): readonly TokenWindow[] {
  const blocks = asBlocks(model, device);
  const head = blocks && headOf(model);
  const values = head ? head.hiddenSize * (blocks.cuts.length + 1) : (findLogits(model).vocabularySize ?? 1);
  const bytes = 4 * values * Math.max(...windows.map(({ ids }) => ids.length));
  return windows.slice(0, Math.max(1, Math.floor(KEPT_BYTES / bytes)));
}
