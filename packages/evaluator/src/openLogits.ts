import type { OnnxModel } from '@quern/onnx';
import { describeModel, extendGraph, findLogits, openSession, runSession, textFeeds } from '@quern/runtime';
import type { Tensor } from 'onnxruntime-node';
import type { ScorerOptions } from './openScorer.ts';

/** An open session that returns logits; the caller releases it. */
export interface LogitsSource {
  /** `ids`: sequences of one length. Logits `[batch, sequence, vocabularySize]`, float32 or float16 as the graph has them. */
  run(ids: readonly Int32Array[]): Promise<Tensor>;
  release(): Promise<void>;
}

/**
 * Opens a model for its logits. With `keepOutputs` they stay in the memory of the device until they are disposed of.
 *
 * Preallocated outputs would not help: onnxruntime-node fills them and returns another copy.
 * Errors: those of `openSession`.
 */
export async function openLogits(
  model: OnnxModel,
  options: ScorerOptions & { readonly keepOutputs?: boolean },
): Promise<LogitsSource> {
  const { name } = findLogits(model);
  const outputs = model.proto.graph!.output.filter(output => output.name === name);
  const session = await openSession(extendGraph(model, { outputs }), options);
  return {
    async run(ids) {
      const values = await runSession(session, textFeeds(session, { ids }), describeModel(model), [name]);
      return values[name]!;
    },
    release: () => session.release(),
  };
}
