import type { Device } from '@quern/runtime';

/** What the tokens of one batch are limited by. */
export interface BatchRequest {
  readonly device: Device;
  /** Free memory of the device, null where nobody tells. */
  readonly memoryBytes: number | null;
  /** Null when the graph leaves it open. */
  readonly vocabularySize: number | null;
  /** Tokens of the longest window. */
  readonly windowLength: number;
  /** Two models are compared. */
  readonly compares: boolean;
}

/** On a CPU few tokens a run cost overhead (half the speed at 20), many leave the caches (4096: a fifth slower). */
const CPU_TOKENS = 512;

/** Logits in one batch on a CPU: 64 MiB in float32, unless a single window needs more. */
const CPU_LOGITS = 2 ** 24;

/** On an accelerator more no longer raise the rate, and an interruption waits for a batch to end. */
const DEVICE_TOKENS = 8192;

/** One buffer of an accelerator whose memory is known, and of any: every WebGPU has buffers of 256 MiB, large cards at least of 1 GiB. */
const BUFFER_BYTES = 2 ** 30;
const LEAST_BUFFER_BYTES = 2 ** 28;

/** Of an accelerator that does not tell its memory. */
const UNKNOWN_MEMORY_BYTES = 4 * 2 ** 30;

/** Attention scores of a token and a head for every earlier token, in float32, before and after the softmax. */
const ATTENTION_BYTES = 64 * 4;

/**
 * Tokens that go through a model together.
 *
 * On an accelerator a quarter of the free memory is for what grows with the batch: copies of the logits (3, or 8 when two models are
 * compared) and attention scores of up to 32 heads. The rest is for weights and for what the runtime keeps.
 */
export function batchLimit(request: BatchRequest): number {
  const { device, memoryBytes, windowLength, compares } = request;
  const vocabularySize = request.vocabularySize ?? 1;
  if (device === 'cpu') return Math.min(CPU_TOKENS, CPU_LOGITS / vocabularySize);
  const logitBytes = 4 * vocabularySize;
  const tokenBytes = (compares ? 8 : 3) * logitBytes + ATTENTION_BYTES * windowLength;
  const byMemory = (memoryBytes ?? UNKNOWN_MEMORY_BYTES) / 4 / tokenBytes;
  const bufferBytes = memoryBytes === null ? LEAST_BUFFER_BYTES : BUFFER_BYTES;
  const byBuffer = bufferBytes / Math.max(logitBytes, (ATTENTION_BYTES / 2) * windowLength);
  return Math.max(1, Math.floor(Math.min(DEVICE_TOKENS, byMemory, byBuffer)));
}
