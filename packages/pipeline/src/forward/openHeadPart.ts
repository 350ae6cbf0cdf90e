import { withSliceLoss } from '@quern/evaluator';
import { extractSubmodel, findHead, type OnnxModel, type SlicedHead } from '@quern/onnx';
import { type Device, findLogits, type NamedTensors, openForward, type PlainTensor } from '@quern/runtime';
import { carriedInputs } from './blockForward.ts';
import type { HiddenStates } from './hiddenStates.ts';

/** A model whose windows have gone through all blocks. */
export interface HeadModel {
  readonly model: OnnxModel;
  /** Of `headOf`; null for a head that is opened whole. */
  readonly head: SlicedHead | null;
  /** What stands before the head, run by run. */
  readonly hidden: Pick<HiddenStates, 'read'>;
}

/** Tokens `[start, start + size)` of the vocabulary. */
export interface VocabularySlice {
  readonly start: number;
  readonly size: number;
}

export interface HeadPart {
  /** The logits `[batch, sequence, size]` of a run of input tokens; of a part with losses what it says of `given`. */
  run(run: number, ids: readonly Int32Array[], given?: NamedTensors): Promise<NamedTensors>;
  close(): Promise<void>;
}

/** The head of a decoder, where it can be read in slices. */
export function headOf(model: OnnxModel): SlicedHead | null {
  return findHead(model, findLogits(model).name);
}

/** Opens a slice of a head, the whole where it has no slices, for `outputs`: `SLICE`'s of one model, or its logits. */
export async function openHeadPart(
  { model, head, hidden }: HeadModel,
  { start, size }: VocabularySlice,
  options: { readonly device: Device; readonly threads?: number; readonly losses: readonly string[] | null },
): Promise<HeadPart> {
  const { name: logits } = findLogits(model);
  const inputs = carriedInputs(await hidden.read(0));
  const input = inputs.find(({ name }) => name === head?.inputName);
  const part = head && input ? head.slice(input, start, start + size) : extractSubmodel(model, inputs, [logits]);
  const { losses, ...session } = options;
  const forward = await openForward(losses ? withSliceLoss(part, logits) : part, session);
  return {
    run: async (run, ids, given = {}) =>
      forward.run({ kind: 'text', ids }, { ...(await hidden.read(run)), ...given }, losses ?? [logits]),
    close: () => forward.close(),
  };
}

/** The only logits of a run. */
export function logitsIn(outputs: NamedTensors): PlainTensor {
  return Object.values(outputs)[0]!;
}
