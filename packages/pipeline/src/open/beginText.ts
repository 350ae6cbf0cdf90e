import { type CutPart, joinParts, startCutting } from '@quern/calibration';
import type { OpenedModel } from './openModel.ts';
import { cutText, type PreparedText, readText, type TextRequest, withText } from './prepareText.ts';

/** A text whose windows are still being cut. */
export interface ComingText extends Pick<PreparedText, 'data' | 'windowLength' | 'stride'> {
  /** Its parts from the first on, as they come. */
  readonly parts: () => AsyncIterable<CutPart>;
}

/** A text with fewer characters is cut by the time at which a thread would have started: 0.15 s. */
const THREAD_CHARACTERS = 2 ** 18;

/**
 * Begins what `prepareText` does: a thread cuts a long text while the model is opened and its first windows are scored.
 *
 * Errors: those of `prepareText`; what a tokenizer has against a long text is thrown by the parts. INTERRUPTED.
 */
export async function beginText(
  opened: OpenedModel,
  request: TextRequest,
  signal?: AbortSignal,
): Promise<PreparedText | ComingText> {
  const read = await readText(opened, request);
  const { documents, tokenizerFolder, options, ...text } = read;
  const characters = documents.reduce((sum, { length }) => sum + length, 0);
  if (characters < THREAD_CHARACTERS) return cutText(request, read);
  const parts = startCutting({ documents, tokenizerFolder, options }, signal);
  return { ...text, parts: () => namedParts(request, parts()) };
}

/** Waits for the whole of a text. Errors: those of its parts. */
export async function wholeText(text: PreparedText | ComingText): Promise<PreparedText> {
  if ('windows' in text) return text;
  const { parts, ...rest } = text;
  const received: CutPart[] = [];
  for await (const part of parts()) received.push(part);
  return { ...rest, ...joinParts(received) };
}

async function* namedParts(request: TextRequest, parts: AsyncIterable<CutPart>): AsyncGenerator<CutPart, void> {
  try {
    yield* parts;
  } catch (error) {
    throw withText(request, error);
  }
}
