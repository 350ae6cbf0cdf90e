import type { TokenWindow } from '@quern/core';
import type { Tokenizer } from './tokenizer.ts';

/** What `\s` matches in a Python string, 29 characters: white space of Unicode and the four separators of ASCII. */
const PYTHON_SPACES = new RegExp(`[\\p{White_Space}${String.fromCharCode(0x1c, 0x1d, 0x1e, 0x1f)}]+`, 'gu');

/** Words of a text as lm-evaluation-harness counts them for word perplexity: `len(re.split(r"\s+", text))`, so none gives 1. */
export function countWords(text: string): number {
  return countSpaces(text) + 1;
}

/**
 * Words that begin among the scored tokens of a window: over windows that score every token of a document they add up to
 * `countWords` of it, wherever the windows are cut.
 *
 * A word begins with a document and behind each run of white space, and counts where that run begins. `documentStarts`: positions in the
 * window, ascending, at which the text of a document begins.
 */
export function countScoredWords(
  { ids, firstScored }: TokenWindow,
  documentStarts: readonly number[],
  tokenizer: Tokenizer,
): number {
  let words = 0;
  const starts = documentStarts[0] === 0 ? documentStarts : [0, ...documentStarts];
  for (const [index, from] of starts.entries()) {
    const to = starts[index + 1] ?? ids.length;
    if (to <= Math.max(from, firstScored)) continue;
    // A space that the tokenizer puts before a document is no white space of the text; inside a document it is.
    const decode = index === 0 && documentStarts[0] !== 0 ? tokenizer.decodeInside : tokenizer.decode;
    const spaces = countSpaces(decode(ids.subarray(from, to)));
    if (from >= firstScored) words += spaces + 1;
    else words += spaces - countSpaces(decode(ids.subarray(from, firstScored)));
  }
  return words;
}

function countSpaces(text: string): number {
  return text.match(PYTHON_SPACES)?.length ?? 0;
}
