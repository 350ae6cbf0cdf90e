import type { InputStatistics, LinearSite } from '@quern/core';
import { type BlockCut, DataType, extractSubmodel, type OnnxModel, tensorInput } from '@quern/onnx';
import { captureStatistics, type Device, type ForwardInput, type NamedTensors, openForward } from '@quern/runtime';
import { checkInterrupted } from '../interruption.ts';
import type { HiddenStates } from './hiddenStates.ts';

export interface ForwardContext {
  /** The model; sites that were solved already run compressed. */
  readonly model: OnnxModel;
  /** Turns a sub-model into one that a session can open, whatever files its tensors lie in. */
  readonly localize: (submodel: OnnxModel) => Promise<OnnxModel>;
  /** The calibration inputs in chunks; each chunk is summed in single precision, chunks in double. */
  readonly chunks: readonly ForwardInput[];
  readonly hidden: HiddenStates;
  readonly device: Device;
  readonly signal: AbortSignal | undefined;
}

/** Computes the hidden state that enters the first block. */
export async function startForward(context: ForwardContext, first: BlockCut): Promise<void> {
  await runChunks(context, null, first.inputNames, async (chunk, outputs) => context.hidden.write(chunk, outputs));
}

/** Moves the hidden states through one block, as it stands in the model now. */
export async function advanceBlock(context: ForwardContext, cut: BlockCut): Promise<void> {
  await runChunks(context, cut, cut.outputNames, async (chunk, outputs) => context.hidden.write(chunk, outputs));
}

/**
 * The statistics of what the sites of one block read, one entry per shared input. `cut` is null for a graph without blocks,
 * which is run whole.
 *
 * Errors: NON_FINITE_ACTIVATION naming the site's input.
 */
export async function captureBlock(
  context: ForwardContext,
  cut: BlockCut | null,
  sites: readonly LinearSite[],
  onChunk: (done: number) => void,
): Promise<ReadonlyMap<string, InputStatistics>> {
  const widths = new Map(sites.map(site => [site.inputName, site.inFeatures]));
  const capture = captureStatistics(widths);
  let done = 0;
  await runChunks(context, cut, [...widths.keys()], async (_chunk, outputs) => {
    await capture.add(outputs);
    onChunk(++done);
  });
  return capture.finish();
}

async function runChunks(
  context: ForwardContext,
  cut: BlockCut | null,
  outputNames: readonly string[],
  onOutputs: (chunk: number, outputs: NamedTensors) => Promise<void>,
): Promise<void> {
  const { model, chunks, hidden, device, signal } = context;
  const carried = cut ? await hidden.read(0) : {};
  const inputs = Object.entries(carried).map(([name, tensor]) =>
    tensorInput(
      name,
      tensor.type === 'float16' ? DataType.FLOAT16 : DataType.FLOAT,
      tensor.dims.map((_, axis) => `${name}_${axis}`),
    ),
  );
  const submodel = await context.localize(extractSubmodel(model, inputs, outputNames));
  const forward = await openForward(submodel, { device });
  try {
    for (let chunk = 0; chunk < chunks.length; chunk++) {
      checkInterrupted(signal);
      const given = cut ? await hidden.read(chunk) : {};
      await onOutputs(chunk, await forward.run(chunks[chunk]!, given, outputNames));
    }
  } finally {
    await forward.close();
  }
}
