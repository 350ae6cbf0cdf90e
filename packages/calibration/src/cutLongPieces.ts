/** Pieces up to this many UTF-16 units go to the tokenizer as they are. */
const SHORT_PIECE = 64;

/**
 * Cuts long pieces of text between characters that no token joins, so that ids stay what they were.
 *
 * Without this a tokenizer that has no pre-tokeniser takes a whole document as one word: its time grows faster than the
 * text (13 times the time for 6 times the text was measured), its memory with the longest document, and its cache of
 * words never hits.
 *
 * @param joinable two-character strings from {@link joinableCharacters}.
 * @returns the pieces; their concatenation is the concatenation of the input. Cost: one pass over the text.
 */
export function cutLongPieces(pieces: readonly string[], joinable: ReadonlySet<string>): string[] {
  const result: string[] = [];
  for (const piece of pieces) {
    if (piece.length <= SHORT_PIECE) {
      result.push(piece);
      continue;
    }
    let start = 0;
    let position = 0;
    let previous = '';
    for (const character of piece) {
      if (position > 0 && !joinable.has(previous + character)) {
        result.push(piece.slice(start, position));
        start = position;
      }
      previous = character;
      position += character.length;
    }
    result.push(piece.slice(start));
  }
  return result;
}
