import type { InferenceSession } from 'onnxruntime-node';
import { generateTokens } from './generateTokens.ts';
import { mostLikelyToken } from './mostLikelyToken.ts';

export interface GenerateOptions {
  readonly maxNewTokens: number;
  /** Generation ends with the first of these, which is part of the result. */
  readonly stopIds: readonly number[];
  /** Called with each new token, for streaming. */
  readonly onToken?: (id: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Continues a prompt with the most likely token at each step (the lowest id of equals). Returns the new ids only.
 *
 * Errors: those of `generateTokens`; NON_FINITE_ACTIVATION.
 */
export async function generateGreedy(
  session: InferenceSession,
  promptIds: Int32Array,
  options: GenerateOptions,
): Promise<Int32Array> {
  const generated: number[] = [];
  if (options.maxNewTokens === 0) return new Int32Array(0);
  for await (const id of generateTokens(session, promptIds, { choose: mostLikelyToken, signal: options.signal })) {
    generated.push(id);
    options.onToken?.(id);
    if (options.stopIds.includes(id) || generated.length >= options.maxNewTokens) break;
  }
  return Int32Array.from(generated);
}
