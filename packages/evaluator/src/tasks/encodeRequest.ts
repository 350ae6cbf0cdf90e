import { CompressionError, type TokenWindow } from '@quern/core';
import type { TaskRequest } from './taskItem.ts';

export interface RequestEncoding {
  readonly encode: (text: string) => Int32Array;
  /** Put before every context; null puts nothing. */
  readonly bosTokenId: number | null;
  /** Stands for an empty context where there is no BOS; null where there is none either. */
  readonly eosTokenId: number | null;
  /** Longest input in tokens; null when nothing limits it. */
  readonly contextLength: number | null;
}

export interface EncodedRequest {
  /** `firstScored` is the first token of the continuation. The last token is only a target, so one more than the context fits. */
  readonly window: TokenWindow;
  /** Whether the beginning was cut off. */
  readonly isCut: boolean;
}

/**
 * Tokens of a context and its continuation, as EleutherAI's harness makes them: spaces at the end of the context go over to the
 * continuation, both are encoded as one text, and what the tokens of the context alone do not cover is the continuation. What is too
 * long is cut from the left, BOS included.
 *
 * Returns null where nothing could be scored as it should be: for a continuation that leaves no token before it within the context, and for
 * one without a token of its own, since text and continuation together have no more tokens than the text alone.
 * Errors: INVALID_TOKENIZER when the context has no token and the model names none to begin with.
 */
export function encodeRequest(request: TaskRequest, encoding: RequestEncoding): EncodedRequest | null {
  const { encode, bosTokenId, eosTokenId, contextLength } = encoding;
  const context = request.context.trimEnd();
  const continuation = request.context.slice(context.length) + request.continuation;
  const contextCount = context === '' ? 0 : encode(context).length;
  const whole = encode(context + continuation);
  const first = bosTokenId ?? (contextCount === 0 ? eosTokenId : null);
  if (first === null && contextCount === 0) {
    throw new CompressionError(
      'INVALID_TOKENIZER',
      'A context is empty, and config.json names neither bos_token_id nor eos_token_id to begin with.',
      { continuation },
    );
  }
  if (whole.length <= contextCount) return null;
  const ids = first === null ? whole : Int32Array.of(first, ...whole);
  const firstScored = contextCount + (first === null ? 0 : 1);
  const excess = contextLength === null ? 0 : Math.max(0, ids.length - (contextLength + 1));
  if (firstScored - excess < 1) return null;
  return { window: { ids: ids.slice(excess), firstScored: firstScored - excess }, isCut: excess > 0 };
}
