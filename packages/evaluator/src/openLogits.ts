import type { OnnxModel } from '@quern/onnx';
import { describeModel, extendGraph, findLogits, openSession, runSession, textFeeds } from '@quern/runtime';
import type { ScorerOptions } from './openScorer.ts';

/** Logits `[rows, vocabularySize]`, the sequences one after the other. */
export interface Logits {
  /** float16 logits as their bits. */
  readonly data: Float32Array | Uint16Array;
  readonly vocabularySize: number;
}

/** An open session that returns logits; the caller releases it. */
export interface LogitsSource {
  /** `ids`: sequences of one length. */
  run(ids: readonly Int32Array[]): Promise<Logits>;
  release(): Promise<void>;
}

/**
 * Opens a model for its logits, float32 or float16 as the graph has them.
 *
 * Preallocated outputs would not help: onnxruntime-node fills them and returns another copy.
 * Errors: those of `openSession`.
 */
export async function openLogits(model: OnnxModel, options: ScorerOptions): Promise<LogitsSource> {
  const { name } = findLogits(model);
  const outputs = model.proto.graph!.output.filter(output => output.name === name);
  const session = await openSession(extendGraph(model, { outputs }), options);
  return {
    async run(ids) {
      const values = await runSession(session, textFeeds(session, { ids }), describeModel(model));
      const logits = values[name]!;
      return { data: logits.data as Float32Array | Uint16Array, vocabularySize: logits.dims.at(-1)! };
    },
    release: () => session.release(),
  };
}
