import type { InputStatistics, LinearSite } from '@quern/core';
import {
  type BlockCut,
  DataType,
  extractSubmodel,
  lookUpBeforeCast,
  type OnnxModel,
  tensorInput,
  type ValueInfoProto,
} from '@quern/onnx';
import {
  captureStatistics,
  type Device,
  type NamedTensors,
  openForward,
  readSums,
  sumOutputs,
  withSums,
} from '@quern/runtime';
import { listenForInterrupt } from '../interruption.ts';
import { releaseMemory } from '../solve/releaseMemory.ts';
import type { CalibrationInputs } from './calibrationInputs.ts';
import { byteLength, type HiddenStates } from './hiddenStates.ts';
import { joinRows } from './joinRows.ts';

export interface ForwardContext {
  /** The model; sites that were solved already run compressed. */
  readonly model: OnnxModel;
  /** Turns a sub-model into one that a session can open, whatever files its tensors lie in. */
  readonly localize: (submodel: OnnxModel) => Promise<OnnxModel>;
  readonly inputs: CalibrationInputs;
  readonly hidden: HiddenStates;
  readonly device: Device;
  /** Threads of one operator; ONNX Runtime's choice (one per core) unless given. */
  readonly threads?: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Computes the hidden state that enters the first block. On the CPU, whatever the device: it is a look-up in the embedding, of which an
 * accelerator would have to hold the whole, in a type that it may not have.
 */
export async function startForward(context: ForwardContext, first: BlockCut): Promise<void> {
  await runAll({ ...context, device: 'cpu' }, null, { outputs: first.inputNames }, async (run, outputs) =>
    context.hidden.write(run, outputs),
  );
}

/** Moves the hidden states through one block, as it stands in the model now. */
export async function advanceBlock(
  context: ForwardContext,
  cut: BlockCut,
  onRun?: (done: number) => void,
): Promise<void> {
  await runAll(context, cut, { outputs: cut.outputNames }, async (run, outputs) => {
    await context.hidden.write(run, outputs);
    releaseMemory(byteLength(outputs));
    onRun?.(run + 1);
  });
}

/**
 * The statistics of what the sites of one block read, one entry per shared input. `cut` is null for a graph without blocks,
 * which is run whole. With `original`, a context of the uncompressed model whose hidden states stand at the same block, also the
 * cross-Grams of what both read.
 *
 * On an accelerator Grams are part of the graph and come back in place of the activations, unless cross-Grams are wanted.
 * Errors: NON_FINITE_ACTIVATION naming the site's input.
 */
export async function captureBlock(
  context: ForwardContext,
  cut: BlockCut | null,
  sites: readonly LinearSite[],
  onRun: (done: number) => void,
  original: ForwardContext | null = null,
): Promise<ReadonlyMap<string, InputStatistics>> {
  const widths = new Map(sites.map(site => [site.inputName, site.inFeatures]));
  const names = [...widths.keys()];
  const capture = captureStatistics(widths);
  const { runCount, runsPerSum, sumsInGraph } = context.inputs;
  if (sumsInGraph && !original) {
    const graph = { outputs: names, extend: (submodel: OnnxModel) => withSums(submodel, widths) };
    await runAll(context, cut, { ...graph, fetched: sumOutputs(widths) }, async (run, outputs) => {
      capture.addSums(readSums(outputs, widths));
      onRun(run + 1);
    });
    return capture.finish();
  }
  const beside = original ? await openBlock(original, cut, { outputs: names }) : null;
  let gathered: NamedTensors[] = [];
  let originals: NamedTensors[] = [];
  try {
    await runAll(context, cut, { outputs: names }, async (run, outputs) => {
      gathered.push(outputs);
      if (beside) originals.push(await beside.run(run));
      const endsSum = (run + 1) % runsPerSum === 0 || run + 1 === runCount;
      if (endsSum || rowsOf(gathered) >= PART_ROWS) {
        await capture.add(joinRows(gathered), endsSum, beside ? joinRows(originals) : undefined);
        gathered = [];
        originals = [];
      }
      onRun(run + 1);
    });
  } finally {
    await beside?.close();
  }
  return capture.finish();
}

/** Rows that are worth a product of their own: with fewer, reading and writing the Gram would take longer. */
const PART_ROWS = 512;

function rowsOf(runs: readonly NamedTensors[]): number {
  const tensors = runs.map(run => Object.values(run)[0]!);
  return tensors.reduce((sum, { data, dims }) => sum + data.length / dims.at(-1)!, 0);
}

/** What a run computes and returns. */
interface Wanted {
  /** Values of the graph. */
  readonly outputs: readonly string[];
  /** Adds to the part of the graph that computes them. */
  readonly extend?: (submodel: OnnxModel) => OnnxModel;
  /** What comes back, `outputs` unless given. */
  readonly fetched?: readonly string[];
}

async function runAll(
  context: ForwardContext,
  cut: BlockCut | null,
  wanted: Wanted,
  onOutputs: (run: number, outputs: NamedTensors) => Promise<void>,
): Promise<void> {
  const block = await openBlock(context, cut, wanted);
  try {
    for (let run = 0; run < context.inputs.runCount; run++) {
      await listenForInterrupt(context.signal);
      const outputs = await block.run(run);
      await listenForInterrupt(context.signal);
      await onOutputs(run, outputs);
    }
  } finally {
    await block.close();
  }
}

/** An open session of one block, or of the whole graph. */
interface OpenBlock {
  run(run: number): Promise<NamedTensors>;
  close(): Promise<void>;
}

async function openBlock(
  { model, inputs, hidden, device, threads, localize }: ForwardContext,
  cut: BlockCut | null,
  { outputs, extend = submodel => submodel, fetched = outputs }: Wanted,
): Promise<OpenBlock> {
  const carried = cut ? await hidden.read(0) : {};
  const part = extractSubmodel(model, carriedInputs(carried), outputs);
  const options = { device, ...(threads === undefined ? {} : { threads }) };
  const looksUp = cut === null && device === 'cpu';
  const forward = await openForward(extend(await localize(looksUp ? lookUpBeforeCast(part) : part)), options);
  const given = async (run: number): Promise<NamedTensors> => ({
    ...(cut ? await hidden.read(run) : {}),
    ...inputs.others?.(run),
  });
  return {
    run: async run => forward.run(await inputs.read(run), await given(run), fetched),
    close: () => forward.close(),
  };
}

/** Declares carried tensors as the inputs of a part of the graph, of any size. */
export function carriedInputs(carried: NamedTensors): ValueInfoProto[] {
  return Object.entries(carried).map(([name, { type, dims }]) =>
    tensorInput(
      name,
      type === 'float16' ? DataType.FLOAT16 : DataType.FLOAT,
      dims.map((_, axis) => `${name}_${axis}`),
    ),
  );
}
