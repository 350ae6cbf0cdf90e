import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { hubSettings, measureText } from '@quern/calibration';
import { CompressionError, type TokenWindow } from '@quern/core';
import { serializeModel } from '@quern/onnx';
import { type Device, generateWindows, openSession } from '@quern/runtime';
import type { InferenceSession } from 'onnxruntime-node';
import type { Emit } from '../events.ts';
import { checkInterrupted } from '../interruption.ts';
import { jobKey } from '../solve/jobKey.ts';
import { openResultStore } from '../solve/resultStore.ts';
import { versions } from '../versions.ts';
import { checkMemory } from './checkMemory.ts';
import { hashFiles } from './hashFiles.ts';
import type { OpenedModel } from './openModel.ts';
import type { PreparedText } from './prepareText.ts';
import { stopIdsOf } from './stopIdsOf.ts';
import { textTokenizer } from './textTokenizer.ts';
import { windowLengthFor } from './windowLengthFor.ts';

export interface OwnTextRequest {
  readonly windows: number;
  readonly windowLength?: number | undefined;
  readonly temperature: number;
  readonly seed: number;
}

export interface OwnTextPlace {
  readonly device: Device;
  readonly emit: Emit;
  readonly signal?: AbortSignal | undefined;
}

/** Windows that grow together: more take more memory, fewer more time. */
const BATCH = 16;

/** See `checkMemory`. */
const WRITING = {
  promptTokens: 1,
  what: '--calibration self',
  nextStep: 'calibrate on a text that is there, such as --calibration general',
} as const;

/** What a model begins its own texts with, and what ends them. */
interface TextMarks {
  readonly beginId: number;
  readonly endIds: ReadonlySet<number>;
}

/**
 * Calibration text that the model writes itself, sampled from what it predicts: windows that begin with BOS (with the token that
 * ends texts, for a model without). Finished batches are kept in the cache, so that a run that was stopped, and the next one with
 * the same settings, reads them.
 *
 * Errors: those of `checkOwnText`, `checkMemory` and `generateWindows`.
 */
export async function writeOwnText(
  opened: OpenedModel,
  request: OwnTextRequest,
  { device, emit, signal }: OwnTextPlace,
): Promise<PreparedText> {
  const { marks, windowLength } = await checkOwnText(opened, request);
  const { windows: count, temperature, seed } = request;
  const graph = createHash('sha256').update(serializeModel(opened.model)).digest('hex');
  const files = await hashFiles(opened, signal);
  const made = { versions: { ...versions() }, device, model: [graph, ...files], windowLength, temperature, seed };
  const store = await openResultStore(join(hubSettings().cacheFolder, 'generated'));
  emit({
    kind: 'stage',
    stage: 'write text',
    detail: `${count} windows of ${windowLength} tokens by the model itself`,
  });
  const total = count * windowLength;
  let session: InferenceSession | null = null;
  const ids: Int32Array[] = [];
  try {
    for (let first = 0; first < count; first += BATCH) {
      checkInterrupted(signal);
      const tell = (more: number): void =>
        emit({ kind: 'progress', stage: 'write text', done: first * windowLength + more, total, unit: 'tokens' });
      const seeds = Array.from({ length: Math.min(BATCH, count - first) }, (_, at) => seed * 2 ** 20 + first + at);
      const key = jobKey({ ...made, seeds, ownText: 1 });
      let batch = await store.load<Int32Array[]>(key);
      if (!batch) {
        if (!session)
          await checkMemory(opened, { ...WRITING, device, texts: seeds.length, tokens: windowLength }, { emit });
        session ??= await openSession(opened.model, { device, spinning: false });
        batch = await generateWindows(session, { ...marks, seeds, windowLength, temperature, signal, onTokens: tell });
        await store.save(key, batch);
      }
      ids.push(...batch);
      tell(batch.length * windowLength);
    }
  } finally {
    await session?.release();
  }
  return describe(opened, ids, { windowLength, temperature, beginId: marks.beginId });
}

/**
 * What writing needs besides the weights. Errors: TOKENIZER_NOT_FOUND, WINDOW_TOO_LONG, INVALID_OPTION for a model of which nothing
 * tells how a text begins.
 */
export async function checkOwnText(
  opened: OpenedModel,
  request: Pick<OwnTextRequest, 'windowLength'>,
): Promise<{ readonly marks: TextMarks; readonly windowLength: number }> {
  await textTokenizer(opened);
  const windowLength = windowLengthFor(opened.text?.contextLength ?? null, request);
  const endIds = await stopIdsOf(opened, opened.tokenizerFolder!);
  const beginId = opened.text?.bosTokenId ?? [...endIds][0];
  if (beginId !== undefined) return { marks: { beginId, endIds }, windowLength };
  throw new CompressionError(
    'INVALID_OPTION',
    `--calibration self: the config.json of ${opened.path} names neither bos_token_id nor eos_token_id, so nothing says how a text begins. Name a set or a file.`,
    { path: opened.path },
  );
}

async function describe(
  opened: OpenedModel,
  ids: readonly Int32Array[],
  {
    windowLength,
    ...generated
  }: { readonly windowLength: number; readonly temperature: number; readonly beginId: number },
): Promise<PreparedText> {
  const tokenizer = await textTokenizer(opened);
  const hash = createHash('sha256');
  for (const window of ids) hash.update(window);
  const windows: TokenWindow[] = ids.map(window => ({ ids: window, firstScored: 1 }));
  const sizes = measureText(
    windows.map(window => ({ ...window, documentStarts: [1] })),
    tokenizer,
  );
  const data = { id: 'self', sha256: hash.digest('hex'), sources: [], generated };
  return { data, windows, windowLength, stride: windowLength, ...sizes };
}
