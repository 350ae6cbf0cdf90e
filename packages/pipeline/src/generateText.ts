import { createStopFilter, createTextStream, loadTokenizer, type Tokenizer } from '@quern/calibration';
import { CompressionError, uniformNumbers } from '@quern/core';
import { isQuantized } from '@quern/onnx';
import { type Device, generateTokens, openSession, sampleToken } from '@quern/runtime';
import type { InferenceSession } from 'onnxruntime-node';
import { chooseDevice } from './device/chooseDevice.ts';
import { describeDevice } from './device/describeDevice.ts';
import type { Emit } from './events.ts';
import { checkMemory } from './open/checkMemory.ts';
import { openModel } from './open/openModel.ts';
import { stopIdsOf } from './open/stopIdsOf.ts';

export interface Sampling {
  /** 0 takes the most likely token. */
  readonly temperature: number;
  readonly topK?: number | undefined;
  readonly topP?: number | undefined;
  readonly seed: number;
}

export interface GenerateRequest extends Sampling {
  readonly model: string;
  readonly tokenizer?: string | undefined;
  readonly prompt: string;
  readonly maxNewTokens: number;
  /** The text ends before the first of these. */
  readonly stop: readonly string[];
  readonly device: 'auto' | Device;
  readonly threads?: number | undefined;
}

/** Why a text ends: a token that ends texts, a stop text, the tokens asked for, the model's context. */
export type StopReason = 'eos' | 'stop' | 'length' | 'context';

export interface GenerateResult {
  readonly model: string;
  readonly prompt: string;
  /** The new text alone. */
  readonly text: string;
  readonly stopReason: StopReason;
  readonly promptTokens: number;
  /** Includes a token that ended the text. */
  readonly newTokens: number;
  readonly seed: number;
  readonly device: Device;
  /** Until the first new token was there. */
  readonly promptMs: number;
  /** New tokens after the first; null when there is only one. */
  readonly tokensPerSecond: number | null;
}

/** A model that can write, its tokenizer and what it must know of it. */
export interface Writer {
  readonly session: InferenceSession;
  readonly tokenizer: Tokenizer;
  readonly bosTokenId: number | null;
  readonly stopIds: ReadonlySet<number>;
  readonly contextLength: number | null;
  readonly device: Device;
}

/**
 * Continues a prompt with a checkpoint, an `.onnx` file or a written folder. `onText` gets the new text as it comes, whole
 * characters at a time.
 *
 * Errors: those of `openModel`; TOKENIZER_NOT_FOUND; INVALID_OPTION for a prompt that fills the context or is empty, and for
 * sampling flags that would be ignored; those of `generateTokens` and `sampleToken`.
 */
export async function generateText(
  request: GenerateRequest,
  onText: (text: string) => void,
  { emit, signal }: { readonly emit: Emit; readonly signal?: AbortSignal | undefined },
): Promise<GenerateResult> {
  checkSampling(request);
  const writer = await openWriter({ ...request, prompts: [request.prompt], what: 'generate' }, emit);
  try {
    const ids = promptIds(writer, request.prompt);
    const started = performance.now();
    let firstAt = started;
    const written = await writeText(writer, ids, request, {
      onText,
      signal,
      onToken: count => {
        if (count === 1) firstAt = performance.now();
      },
    });
    const seconds = (performance.now() - firstAt) / 1000;
    const { model, prompt, seed } = request;
    return {
      model,
      prompt,
      ...written,
      promptTokens: ids.length,
      seed,
      device: writer.device,
      promptMs: Math.round(firstAt - started),
      tokensPerSecond: written.newTokens > 1 ? (written.newTokens - 1) / seconds : null,
    };
  } finally {
    await writer.session.release();
  }
}

export interface WriterRequest
  extends Pick<GenerateRequest, 'model' | 'tokenizer' | 'device' | 'threads' | 'maxNewTokens'> {
  /** What will be continued. */
  readonly prompts: readonly string[];
  /** What writes, for errors. */
  readonly what: string;
}

/**
 * Opens a model for writing; the caller releases its session. Errors: those of `openModel`; TOKENIZER_NOT_FOUND; OUT_OF_MEMORY, see
 * `checkMemory`.
 */
export async function openWriter(request: WriterRequest, emit: Emit): Promise<Writer> {
  const chosen = await chooseDevice(request.device, emit);
  const { device } = chosen;
  emit({ kind: 'stage', stage: 'open', detail: `${request.model} on ${describeDevice(chosen)}` });
  const opened = await openModel(request.model, { tokenizer: request.tokenizer });
  if (!opened.tokenizerFolder) {
    throw new CompressionError(
      'TOKENIZER_NOT_FOUND',
      `${opened.path} comes without a tokenizer: pass --tokenizer <folder with tokenizer.json and config.json>.`,
      { path: opened.path },
    );
  }
  const tokenizer = await loadTokenizer(opened.tokenizerFolder);
  const stopIds = await stopIdsOf(opened, opened.tokenizerFolder);
  const { bosTokenId = null, contextLength = null } = opened.text ?? {};
  const promptTokens = 1 + request.prompts.reduce((most, text) => Math.max(most, tokenizer.encode(text).length), 0);
  const tokens = Math.min(promptTokens + request.maxNewTokens, contextLength ?? Number.POSITIVE_INFINITY);
  const first = `compress it first, which takes the memory of one block, and write with the result (quern compress ${opened.path} --out <folder>), or `;
  const nextStep = `${isQuantized(opened.model) ? '' : first}take a machine with more memory`;
  await checkMemory(opened, { device, texts: 1, tokens, promptTokens, what: request.what, nextStep }, { emit });
  const threads = request.threads === undefined ? {} : { threads: request.threads };
  const session = await openSession(opened.model, { device, ...threads });
  return { session, tokenizer, bosTokenId, stopIds, contextLength, device };
}

/** BOS where the model has one, then the prompt. Errors: INVALID_OPTION for no token at all. */
export function promptIds({ tokenizer, bosTokenId }: Writer, prompt: string): Int32Array {
  const ids = tokenizer.encode(prompt);
  if (bosTokenId !== null) return ids[0] === bosTokenId ? ids : Int32Array.of(bosTokenId, ...ids);
  if (ids.length > 0) return ids;
  throw new CompressionError(
    'INVALID_OPTION',
    '--prompt is empty, and the model has no token that begins a text (bos_token_id): give at least one word.',
  );
}

interface WriteOptions {
  readonly onText?: (text: string) => void;
  /** Called with the number of tokens so far. */
  readonly onToken?: (count: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Continues token ids until the text ends. Errors: INVALID_OPTION for a prompt that fills the context. */
export async function writeText(
  writer: Writer,
  prompt: Int32Array,
  request: Sampling & Pick<GenerateRequest, 'maxNewTokens' | 'stop'>,
  { onText, onToken, signal }: WriteOptions,
): Promise<Pick<GenerateResult, 'text' | 'stopReason' | 'newTokens'>> {
  const room = writer.contextLength === null ? Number.POSITIVE_INFINITY : writer.contextLength - prompt.length;
  if (room < 1) {
    throw new CompressionError(
      'INVALID_OPTION',
      `The prompt has ${prompt.length} tokens and the model's context is ${writer.contextLength}: there is no room for a new token. Shorten the prompt.`,
      { promptTokens: prompt.length, contextLength: writer.contextLength },
    );
  }
  const uniform = uniformNumbers(request.seed);
  const choose = (logits: ArrayLike<number>): number => sampleToken(logits, request, uniform());
  const decoder = createTextStream(writer.tokenizer, prompt);
  const filter = createStopFilter(request.stop);
  let text = '';
  let newTokens = 0;
  let stopReason: StopReason = 'length';
  const pass = (piece: string): void => {
    if (piece === '') return;
    text += piece;
    onText?.(piece);
  };
  for await (const id of generateTokens(writer.session, prompt, { choose, signal })) {
    newTokens++;
    onToken?.(newTokens);
    if (writer.stopIds.has(id)) stopReason = 'eos';
    else pass(filter.push(decoder.push(id)));
    if (filter.stopped !== null) stopReason = 'stop';
    if (newTokens >= room && stopReason === 'length' && room < request.maxNewTokens) stopReason = 'context';
    if (stopReason !== 'length' || newTokens >= request.maxNewTokens) break;
  }
  if (filter.stopped === null) pass(filter.push(decoder.end()));
  if (filter.stopped === null) pass(filter.end());
  return { text, stopReason, newTokens };
}

/** Flags without an effect are refused: who gives one expects something of it. */
export function checkSampling({ temperature, topK, topP }: Sampling): void {
  const ignored = topK !== undefined ? `--top-k ${topK}` : topP !== undefined ? `--top-p ${topP}` : null;
  if (temperature > 0 || ignored === null) return;
  throw new CompressionError(
    'INVALID_OPTION',
    `${ignored} has no effect at temperature 0, which always takes the most likely token: add --temperature 0.8, or leave it out.`,
    { temperature },
  );
}
