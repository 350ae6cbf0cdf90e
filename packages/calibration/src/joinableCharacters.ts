/** The fields of the `model` part of a tokenizer.json that tell which characters can end up in one token. */
export interface TokenizerModel {
  readonly type?: string;
  readonly vocab?: unknown;
  readonly merges?: readonly (string | readonly string[])[];
  readonly ignore_merges?: boolean;
  readonly end_of_word_suffix?: string | null;
  readonly continuing_subword_prefix?: string | null;
  readonly continuing_subword_suffix?: string | null;
}

/**
 * The pairs of neighbouring characters that a tokenizer can put into one token, as two-character strings.
 *
 * Between any other two characters a text may be cut without changing its ids. Byte-pair encoding joins two pieces only by
 * a rule of its table, and the joint of a rule is the last character of its left piece and the first of its right one; so
 * where no rule has that joint, no token crosses and the two sides never influence each other. For a unigram model the
 * same holds of pairs inside the pieces of its vocabulary.
 *
 * @returns null where this does not hold or is not known: whole words looked up before merging, marks at word ends.
 */
export function joinableCharacters(model: TokenizerModel): Set<string> | null {
  if (model.ignore_merges || model.end_of_word_suffix) return null;
  if (model.continuing_subword_prefix || model.continuing_subword_suffix) return null;
  if (model.type === 'BPE' && Array.isArray(model.merges)) return jointsOfMerges(model.merges);
  if (model.type === 'Unigram' && Array.isArray(model.vocab)) return pairsInsidePieces(model.vocab);
  return null;
}

function jointsOfMerges(merges: readonly (string | readonly string[])[]): Set<string> {
  const pairs = new Set<string>();
  for (const merge of merges) {
    const [left, right] = typeof merge === 'string' ? merge.split(' ', 2) : merge;
    pairs.add(Array.from(left!).at(-1)! + Array.from(right!)[0]!);
  }
  return pairs;
}

function pairsInsidePieces(vocabulary: readonly (readonly [string, number])[]): Set<string> {
  const pairs = new Set<string>();
  for (const [piece] of vocabulary) {
    const characters = Array.from(piece);
    for (let index = 1; index < characters.length; index++) pairs.add(characters[index - 1]! + characters[index]!);
  }
  return pairs;
}
