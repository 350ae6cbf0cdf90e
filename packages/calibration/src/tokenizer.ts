/** A text encoder and its inverse, without special tokens on either side. */
export interface Tokenizer {
  /**
   * Token ids of a text; no BOS or EOS is added. A special token that is spelled out in the text becomes its id, as in
   * the reference implementation.
   */
  encode(text: string): Int32Array;
  /** The text of token ids: special tokens and ids without a token are left out, spaces are not cleaned up. */
  decode(ids: Int32Array): string;
  /**
   * The text of a run of ids from the middle of a text: a space before the first word stays, the token for unknown text stands as it is
   * written, other special tokens are left out.
   */
  decodeInside(ids: Int32Array): string;
  /** UTF-8 bytes of `decodeInside`. */
  byteLength(ids: Int32Array): number;
  /** One more than the largest id. A model may have more rows than this. */
  readonly vocabularySize: number;
}
