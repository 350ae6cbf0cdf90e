import { CompressionError } from '@quern/core';
import type { OnnxModel } from '@quern/onnx';
import {
  type Device,
  describeModel,
  extendGraph,
  findLogits,
  openSession,
  runSession,
  textFeeds,
} from '@quern/runtime';
import { Tensor } from 'onnxruntime-node';
import { LOSS, withLoss } from './withLoss.ts';

/** Losses of a batch, each `[batch, length - 1]`: column t belongs to token t + 1. */
export interface TokenLosses {
  readonly columns: number;
  /** -ln p, nats. */
  readonly nll: Float32Array;
  readonly baseline?: {
    readonly nll: Float32Array;
    readonly klDivergence: Float32Array;
    /** 1 where both models find the same token most likely. */
    readonly agreement: Int32Array;
  };
}

/** Open sessions that score batches; the caller releases them. */
export interface Scorer {
  /** `ids`: sequences of one length, at least 2. */
  score(ids: readonly Int32Array[]): Promise<TokenLosses>;
  release(): Promise<void>;
}

export interface ScorerOptions {
  readonly device: Device;
  readonly threads?: number;
  readonly baseline?: OnnxModel;
}

/**
 * Opens a model, and its baseline if there is one, for scoring.
 *
 * Errors: INVALID_OPTION when the vocabularies differ in size; those of `withLoss` and `openSession`.
 */
export async function openScorer(model: OnnxModel, options: ScorerOptions): Promise<Scorer> {
  const { device, baseline } = options;
  if (!baseline) {
    const session = await openSession(withLoss(model, device, null), options);
    return {
      score: ids => run(session, describeModel(model), ids, {}),
      release: () => session.release(),
    };
  }
  const logits = findLogits(baseline);
  checkVocabularies(model, baseline);
  const session = await openSession(withLoss(model, device, logits), options);
  const outputs = baseline.proto.graph!.output.filter(output => output.name === logits.name);
  const reference = await openSession(extendGraph(baseline, { outputs }), options);
  return {
    async score(ids) {
      const feeds = textFeeds(reference, { ids: withoutLast(ids) });
      const values = await runSession(reference, feeds, describeModel(baseline));
      return run(session, describeModel(model), ids, { [LOSS.baselineLogits]: values[logits.name]! });
    },
    async release() {
      await session.release();
      await reference.release();
    },
  };
}

async function run(
  session: Awaited<ReturnType<typeof openSession>>,
  subject: string,
  ids: readonly Int32Array[],
  others: Readonly<Record<string, Tensor>>,
): Promise<TokenLosses> {
  const columns = ids[0]!.length - 1;
  const targets = new Int32Array(ids.length * columns);
  for (const [row, sequence] of ids.entries()) targets.set(sequence.subarray(1), row * columns);
  const dims = [ids.length, columns, 1];
  const feeds = textFeeds(session, {
    ids: withoutLast(ids),
    others: { ...others, [LOSS.targets]: new Tensor('int32', targets, dims) },
  });
  const values = await runSession(session, feeds, subject);
  const nll = values[LOSS.nll]!.data as Float32Array;
  if (!values[LOSS.baselineNll]) return { columns, nll };
  return {
    columns,
    nll,
    baseline: {
      nll: values[LOSS.baselineNll]!.data as Float32Array,
      klDivergence: values[LOSS.klDivergence]!.data as Float32Array,
      agreement: values[LOSS.agreement]!.data as Int32Array,
    },
  };
}

/** The last token is only a target: what follows it is not asked for. */
function withoutLast(ids: readonly Int32Array[]): Int32Array[] {
  return ids.map(sequence => sequence.subarray(0, -1));
}

function checkVocabularies(model: OnnxModel, baseline: OnnxModel): void {
  const [own, other] = [findLogits(model).vocabularySize, findLogits(baseline).vocabularySize];
  if (own === other || own === null || other === null) return;
  throw new CompressionError(
    'INVALID_OPTION',
    `The baseline has a vocabulary of ${other} and the model one of ${own}: their predictions cannot be compared. ` +
      'Use the model from which this one was made as the baseline.',
    { vocabularySize: own, baselineVocabularySize: other },
  );
}
