import type { OnnxModel } from '@quern/onnx';
import { type Device, describeModel, openSession, runSession, textFeeds } from '@quern/runtime';
import { Tensor } from 'onnxruntime-node';
import { LOSS } from './lossNodes.ts';
import { withLoss } from './withLoss.ts';

/** What one model says about a batch, each `[batch, columns]`: column t belongs to token t + 1. */
export interface ModelLosses {
  /** -ln p, nats. */
  readonly nll: Float32Array;
  /** ln p of the most likely token. */
  readonly logConfidence: Float32Array;
}

/** Losses of a batch. */
export interface TokenLosses extends ModelLosses {
  /** Length of the sequences less 1. */
  readonly columns: number;
  readonly baseline?: ModelLosses & {
    /** KL(baseline || model), nats. */
    readonly klDivergence: Float32Array;
    /** The token that the baseline finds most likely, and the model's. */
    readonly top: Int32Array;
    readonly modelTop: Int32Array;
    /** Tokens that the model finds more likely than the baseline's most likely one. */
    readonly rank: Float32Array;
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
}

/** Opens a model for scoring. Errors: those of `withLoss` and `openSession`. */
export async function openScorer(model: OnnxModel, options: ScorerOptions): Promise<Scorer> {
  const session = await openSession(withLoss(model, options.device), options);
  return {
    async score(ids) {
      const columns = ids[0]!.length - 1;
      const targets = new Tensor('int32', targetsOf(ids), [ids.length, columns, 1]);
      const feeds = textFeeds(session, { ids: withoutLast(ids), others: { [LOSS.targets]: targets } });
      // Caches that the graph must compute as well stay where they are.
      const outputs = [LOSS.nll, LOSS.logConfidence];
      const values = await runSession(session, feeds, describeModel(model), outputs);
      return {
        columns,
        nll: values[LOSS.nll]!.data as Float32Array,
        logConfidence: values[LOSS.logConfidence]!.data as Float32Array,
      };
    },
    release: () => session.release(),
  };
}

/** The last token is only a target: what follows it is not asked for. */
export function withoutLast(ids: readonly Int32Array[]): Int32Array[] {
  return ids.map(sequence => sequence.subarray(0, -1));
}

/** Every token but the first of each sequence, row after row. */
export function targetsOf(ids: readonly Int32Array[]): Int32Array {
  const columns = ids[0]!.length - 1;
  const targets = new Int32Array(ids.length * columns);
  for (const [row, sequence] of ids.entries()) targets.set(sequence.subarray(1), row * columns);
  return targets;
}
