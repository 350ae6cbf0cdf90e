/** Texts either choose a compression or measure it, never both. */
export type TextPart = 'calibration' | 'evaluation';

/** A text that documents come from. */
export interface TextSource {
  readonly id: string;
  /** Of the file's bytes as they are stored. */
  readonly sha256: string;
  /** Commit that a pulled set came from; absent where the sum alone says what it is. */
  readonly revision?: string;
}

/** The documents of one text, as they go to the tokenizer. */
export interface TextSet {
  /** Name of the set, or the file's name without its folder. */
  readonly id: string;
  readonly path: string;
  /** Of the file's bytes as they are stored. */
  readonly sha256: string;
  /** Null for a file that is not part of a set. */
  readonly licence: string | null;
  /** One for each text that the documents come from. */
  readonly sources: readonly TextSource[];
  /** Not empty; no document is empty or has whitespace around it. */
  readonly documents: readonly string[];
}
