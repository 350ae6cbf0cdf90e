import { DataType, type OnnxModel } from '@quern/onnx';
import { describeModel, extendGraph, findLogits, openSession, runSession, textFeeds } from '@quern/runtime';
import { Tensor } from 'onnxruntime-node';
import type { ScorerOptions } from './openScorer.ts';

/** Logits `[rows, vocabularySize]`, the sequences one after the other. */
export interface Logits {
  readonly data: Float32Array | Uint16Array;
  readonly vocabularySize: number;
}

/** An open session that returns logits; the caller releases it. */
export interface LogitsSource {
  /** `ids`: sequences of one length. What it returns is overwritten by the next run. */
  run(ids: readonly Int32Array[]): Promise<Logits>;
  release(): Promise<void>;
}

/**
 * Opens a model for its logits, float32 or float16 as the graph has them.
 *
 * They are written into one buffer that is kept: outputs allocated anew for each run wait for the garbage collector, two or
 * three at a time.
 * Errors: those of `openSession`.
 */
export async function openLogits(model: OnnxModel, options: ScorerOptions): Promise<LogitsSource> {
  const { name, dataType, vocabularySize } = findLogits(model);
  const outputs = model.proto.graph!.output.filter(output => output.name === name);
  const session = await openSession(extendGraph(model, { outputs }), options);
  const subject = describeModel(model);
  let buffer: Float32Array | Uint16Array = allocate(dataType, 0);
  return {
    async run(ids) {
      const feeds = textFeeds(session, { ids });
      if (vocabularySize === null) {
        const logits = (await runSession(session, feeds, subject))[name]!;
        return { data: logits.data as Float32Array | Uint16Array, vocabularySize: logits.dims.at(-1)! };
      }
      const dims = [ids.length, ids[0]!.length, vocabularySize];
      const count = dims.reduce((product, size) => product * size, 1);
      if (buffer.length < count) buffer = allocate(dataType, count);
      const data = buffer.subarray(0, count);
      const target =
        data instanceof Float32Array ? new Tensor('float32', data, dims) : new Tensor('float16', data, dims);
      await runSession(session, feeds, subject, { [name]: target });
      return { data, vocabularySize };
    },
    release: () => session.release(),
  };
}

function allocate(dataType: number, count: number): Float32Array | Uint16Array {
  return dataType === DataType.FLOAT16 ? new Uint16Array(count) : new Float32Array(count);
}
