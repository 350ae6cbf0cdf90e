/** A text encoder and its inverse, without special tokens on either side. */
export interface Tokenizer {
  /**
   * Token ids of a text; no BOS or EOS is added. A special token that is spelled out in the text becomes its id, as in
   * the reference implementation.
   */
  encode(text: string): Int32Array;
  /** The text of token ids: special tokens and ids without a token are left out, spaces are not cleaned up. */
  decode(ids: Int32Array): string;
  /** One more than the largest id. A model may have more rows than this. */
  readonly vocabularySize: number;
}
