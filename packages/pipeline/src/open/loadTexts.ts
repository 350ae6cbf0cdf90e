import { loadTextSet, mixTextSets, type TextPart, type TextSet } from '@quern/calibration';
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
  if (members === null) return loadTextSet(data, part, await textSetFolder(data));
  const sets: TextSet[] = [];
  for (const member of members) sets.push(await loadTextSet(member, part, await textSetFolder(member)));
  return mixTextSets(data, sets, seed);
}
