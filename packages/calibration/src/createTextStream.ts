import type { Tokenizer } from './tokenizer.ts';

/** Text of a run of tokens that comes one by one. */
export interface TextStream {
  /** The text that this token completes: empty inside a character of several tokens. */
  push(id: number): string;
  /** What was held back for a character that never was completed. */
  end(): string;
}

const REPLACEMENT = '\ufffd';
const CONTEXT_TOKENS = 6;

/**
 * Decodes tokens as they come, so that the pieces together are the text that follows `promptIds`.
 *
 * Decoders drop a space at the beginning of a text and put characters together from several tokens: each token is decoded behind
 * the last ones that gave text, and what ends in an incomplete character waits for its rest.
 * Cost: one decoding of a few tokens a token.
 */
export function createTextStream(tokenizer: Pick<Tokenizer, 'decode'>, promptIds: Int32Array): TextStream {
  let context = Array.from(promptIds.subarray(-CONTEXT_TOKENS));
  let pending: number[] = [];
  const decode = (ids: readonly number[]): string => tokenizer.decode(Int32Array.from(ids));
  const pendingText = (): string => decode([...context, ...pending]).slice(decode(context).length);
  return {
    push(id) {
      pending.push(id);
      const text = pendingText();
      if (text === '' || text.endsWith(REPLACEMENT)) return '';
      context = pending;
      pending = [];
      return text;
    },
    end() {
      const text = pendingText();
      context = [...context, ...pending];
      pending = [];
      return text;
    },
  };
}
