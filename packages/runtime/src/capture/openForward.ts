import { CompressionError } from '@quern/core';
import type { OnnxModel } from '@quern/onnx';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { describeModel } from '../describeModel.ts';
import { openSession, type SessionOptions } from '../openSession.ts';
import { runSession } from '../runSession.ts';
import { textFeed } from '../textFeeds.ts';
import type { NamedTensors, PlainTensor } from './plainTensor.ts';

/** One run's worth of input: token sequences of one length, or the tensors themselves. */
export type ForwardInput =
  | { readonly kind: 'text'; readonly ids: readonly Int32Array[] }
  | { readonly kind: 'tensors'; readonly tensors: NamedTensors };

/** An open session over a graph or a part of one. */
export interface Forward {
  /** `given` are inputs that stand inside the whole graph, such as a hidden state. */
  run(input: ForwardInput, given: NamedTensors, outputNames: readonly string[]): Promise<NamedTensors>;
  close(): Promise<void>;
}

/**
 * Opens a model, or a part cut out of one, for forward passes.
 *
 * Errors: those of `openSession`; INVALID_FEEDS naming an input that was not fed.
 */
export async function openForward(model: OnnxModel, options: SessionOptions): Promise<Forward> {
  // Forward passes and Gram products take turns on the same cores.
  const session = await openSession(model, { ...options, spinning: false });
  const subject = describeModel(model);
  return {
    async run(input, given, outputNames) {
      const outputs = await runSession(session, feedsOf(session, input, given), subject, outputNames);
      return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, toPlain(tensor)]));
    },
    close: () => session.release(),
  };
}

function feedsOf(session: InferenceSession, input: ForwardInput, given: NamedTensors): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const metadata of session.inputMetadata) {
    const { name } = metadata;
    const tensor = given[name] ?? (input.kind === 'tensors' ? input.tensors[name] : undefined);
    if (tensor) feeds[name] = new Tensor(tensor.type as 'float32', tensor.data as Float32Array, tensor.dims);
    else if (input.kind === 'text') feeds[name] = textFeed(session, metadata, { ids: input.ids });
    else {
      throw new CompressionError(
        'INVALID_FEEDS',
        `The feeds hold no tensor for the input "${name}": expected ${session.inputNames.join(', ')}.`,
        { name },
      );
    }
  }
  return feeds;
}

function toPlain(tensor: Tensor): PlainTensor {
  return { type: tensor.type as PlainTensor['type'], dims: tensor.dims, data: tensor.data as PlainTensor['data'] };
}
