import { type BlockCut, findBlockCuts, type OnnxModel } from '@quern/onnx';
import type { Device } from '@quern/runtime';
import { weightBytes } from './weightBytes.ts';

/** A model that is a chain of blocks. */
export interface BlockModel {
  readonly model: OnnxModel;
  readonly cuts: readonly BlockCut[];
}

/** Weights of this many bytes are not opened together on a CPU, but block by block. */
const LARGE_BYTES = 1e9;

/** Null for a model that is opened as one: on an accelerator, where its weights are few, and where they are no chain of blocks. */
export function asBlocks(model: OnnxModel, device: Device): BlockModel | null {
  if (device !== 'cpu' || weightBytes(model) <= LARGE_BYTES) return null;
  return chain(model);
}

/** The same for two models that are run side by side: both go block by block where one is large. */
export function asBlockPair(
  model: OnnxModel,
  baseline: OnnxModel,
  device: Device,
): { readonly own: BlockModel; readonly baseline: BlockModel } | null {
  if (!asBlocks(model, device) && !asBlocks(baseline, device)) return null;
  const [own, other] = [chain(model), chain(baseline)];
  return own && other && { own, baseline: other };
}

function chain(model: OnnxModel): BlockModel | null {
  const cuts = findBlockCuts(model);
  return cuts && { model, cuts };
}
