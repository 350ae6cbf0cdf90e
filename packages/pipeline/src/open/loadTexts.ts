import { loadTextSet, mixTextSets, type TextPart, type TextSet } from '@quern/calibration';
import { CompressionError } from '@quern/core';
import { textSetFolder } from './textSetFolder.ts';

/** Calibration texts made of several sets. */
const MIXTURES: Readonly<Record<string, readonly string[]>> = {
  general: ['prose', 'stories'],
  mixed: ['code', 'prose', 'stories'],
};

/**
 * The documents of a set or file; `general` and `mixed` are mixtures of the sets that come with Quern, for calibration.
 *
 * Errors: those of `loadTextSet`.
 */
export async function loadTexts(data: string, part: TextPart, seed: number): Promise<TextSet> {
  const members = part === 'calibration' && Object.hasOwn(MIXTURES, data) ? MIXTURES[data]! : null;
  if (members === null) {
    return loadTextSet(data, part, await textSetFolder(data)).catch(error => {
      throw part === 'calibration' ? withMixtures(error) : error;
    });
  }
  const sets: TextSet[] = [];
  for (const member of members) sets.push(await loadTextSet(member, part, await textSetFolder(member)));
  return mixTextSets(data, sets, seed);
}

/** A name that is none also hears what else calibrates. */
function withMixtures(error: unknown): unknown {
  if (!(error instanceof CompressionError) || error.context.known === undefined) return error;
  const { code, message, context } = error;
  const others = [...Object.keys(MIXTURES), 'self'].join(', ');
  return new CompressionError(code, `${message} For calibration also: ${others}.`, context, { cause: error });
}
