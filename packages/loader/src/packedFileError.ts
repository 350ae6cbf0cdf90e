/** Every way in which a packed file is refused. */
export type PackedFileErrorCode =
  /** It does not begin like a packed file. */
  | 'NOT_PACKED'
  /** It was written by a later version. */
  | 'UNSUPPORTED_VERSION'
  /** Its table of contents contradicts itself or the file. */
  | 'CORRUPT_INDEX'
  /** A tensor does not decode to the bytes that were packed. */
  | 'CORRUPT_TENSOR'
  /** It ends before its last tensor does. */
  | 'TRUNCATED'
  /** It cannot be read at all. */
  | 'UNREADABLE'
  /** It holds no data file of the name that was asked for. */
  | 'NO_SUCH_FILE';

/** The one error of this package. The message tells what failed, the value, the limit and the next step. */
export class PackedFileError extends Error {
  readonly code: PackedFileErrorCode;

  constructor(code: PackedFileErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'PackedFileError';
    this.code = code;
  }
}
