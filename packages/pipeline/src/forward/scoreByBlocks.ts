import type { TokenWindow } from '@quern/core';
import {
  addLosses,
  batchLimit,
  batchWindows,
  checkWindows,
  emptyScores,
  LOSS,
  type ModelLosses,
  targetsOf,
  type WindowScores,
  withLoss,
  withoutLast,
} from '@quern/evaluator';
import { type BlockCut, findPlainHead, type OnnxModel } from '@quern/onnx';
import { type Device, findLogits } from '@quern/runtime';
import { advanceBlock, type ForwardContext, readOutputs, startForward } from './blockForward.ts';
import { createHiddenStates } from './hiddenStates.ts';
import { scoreHeadInSlices } from './scoreHeadInSlices.ts';

export interface BlockScoreOptions {
  readonly device: Device;
  readonly threads?: number | undefined;
  /** A folder of its own for hidden states that memory has no room for; removed at the end. */
  readonly scratch: string;
  /** Bytes of a plain head, in float32, that are in memory at once; 64 MB unless given. */
  readonly sliceBytes?: number;
  /** Work done and in all, in tokens through the whole model, and where it stands. */
  readonly onProgress?: (done: number, total: number, place: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Hidden states beyond this many bytes go to files. */
const HIDDEN_MEMORY_BYTES = 256e6;

/**
 * Scores windows like `scoreWindows` without ever opening the whole model: all windows go through one decoder block before
 * the next is opened, and a head that is one plain product is read in slices of the vocabulary.
 *
 * The same figures up to rounding: a head in slices adds in another order.
 * Errors: those of `scoreWindows`.
 * Cost: the forward pass; one block's weights in float32 and packed, 256 MB of hidden states, the rest of them
 * (tokens x hidden size x 4 bytes) in `scratch`.
 */
export async function scoreByBlocks(
  model: OnnxModel,
  cuts: readonly BlockCut[],
  windows: readonly TokenWindow[],
  options: BlockScoreOptions,
): Promise<WindowScores> {
  const { name: logits, vocabularySize } = findLogits(model);
  checkWindows(windows, vocabularySize);
  const scores = emptyScores(windows, false);
  const head = findPlainHead(model, logits);
  const limit = batchLimit({
    device: options.device,
    memoryBytes: null,
    vocabularySize: head ? null : vocabularySize,
    windowLength: windows.reduce((longest, { ids }) => Math.max(longest, ids.length), 1),
    compares: false,
  });
  const batches = batchWindows(windows, limit);
  if (batches.length === 0) return scores;
  const idsOf = (run: number): Int32Array[] => batches[run]!.map(index => windows[index]!.ids);
  const targets = (run: number): Int32Array => targetsOf(idsOf(run));
  const { device, threads, signal, onProgress } = options;
  const context: ForwardContext = {
    model,
    localize: async submodel => submodel,
    inputs: {
      runCount: batches.length,
      runsPerSum: 1,
      read: async run => ({ kind: 'text', ids: withoutLast(idsOf(run)) }),
    },
    hidden: createHiddenStates(options.scratch, HIDDEN_MEMORY_BYTES),
    device,
    threads,
    signal,
  };
  const tokens = batches.flat().reduce((sum, index) => sum + windows[index]!.ids.length, 0);
  const tell = (stage: number, done: number, of: number, place: string): void =>
    onProgress?.(Math.round((tokens * (stage + done / of)) / (cuts.length + 1)), tokens, place);
  const add = (run: number, losses: ModelLosses): void => {
    for (const [row, index] of batches[run]!.entries()) {
      const window = windows[index]!;
      // Scored tokens before it place divergences, of which there are none.
      addLosses(scores, { ...losses, columns: window.ids.length - 1 }, { row, index, window, tokensBefore: 0 });
    }
  };
  try {
    await startForward(context, cuts[0]!);
    for (const [index, cut] of cuts.entries()) {
      const place = `block ${index + 1} of ${cuts.length}`;
      await advanceBlock(context, cut, done => tell(index, done, batches.length, place));
    }
    const { block, outputNames: inputNames } = cuts.at(-1)!;
    const behind = { block: block + 1, inputNames };
    const tellHead = (done: number, of: number): void => tell(cuts.length, done, of, 'head');
    if (head) {
      const { inputName } = head;
      if (!inputNames.includes(inputName)) await advanceBlock(context, { ...behind, outputNames: [inputName] });
      const activations = async (run: number) => (await context.hidden.read(run))[inputName]!;
      const { sliceBytes } = options;
      const runs = {
        runCount: batches.length,
        activations,
        targets,
        device,
        threads,
        signal,
        sliceBytes,
        onSlice: tellHead,
      };
      for (const [run, losses] of (await scoreHeadInSlices(model, head, runs)).entries()) add(run, losses);
      return scores;
    }
    const others = (run: number) => {
      const data = targets(run);
      const rows = batches[run]!.length;
      return { [LOSS.targets]: { type: 'int32' as const, dims: [rows, data.length / rows, 1], data } };
    };
    const losing = { ...context, model: withLoss(model, device), inputs: { ...context.inputs, others } };
    await readOutputs(losing, { ...behind, outputNames: [LOSS.nll, LOSS.logConfidence] }, async (run, outputs) => {
      const [nll, logConfidence] = [LOSS.nll, LOSS.logConfidence].map(name => outputs[name]!.data as Float32Array);
      add(run, { nll: nll!, logConfidence: logConfidence! });
      tellHead(run + 1, batches.length);
    });
    return scores;
  } finally {
    await context.hidden.close();
  }
}
