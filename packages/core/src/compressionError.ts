/** Every way in which Quern refuses input or fails while working. */
export type ErrorCode =
  // Bad usage or input: exit code 2.
  | 'USAGE'
  | 'MODEL_NOT_FOUND'
  | 'UNSUPPORTED_MODEL'
  | 'ALREADY_QUANTIZED'
  | 'INVALID_CONFIG'
  | 'INVALID_SAFETENSORS'
  | 'INVALID_ONNX'
  | 'INVALID_EXTERNAL_DATA'
  | 'MISSING_TENSOR'
  | 'INVALID_SHAPE'
  | 'INVALID_DATA_SET'
  | 'INVALID_FEEDS'
  | 'INVALID_STATISTICS'
  | 'INVALID_RECIPE'
  | 'NON_FINITE_WEIGHT'
  | 'TOKENIZER_NOT_FOUND'
  | 'INVALID_TOKENIZER'
  | 'INVALID_OPTION'
  | 'TEXT_TOO_SHORT'
  | 'WINDOW_TOO_LONG'
  | 'OUTPUT_EXISTS'
  | 'RUN_MISMATCH'
  | 'DEVICE_UNAVAILABLE'
  | 'OUT_OF_MEMORY'
  // Failure during work: exit code 1.
  | 'NON_FINITE_ACTIVATION'
  | 'NOT_POSITIVE_DEFINITE'
  | 'SOLVER_FAILED'
  | 'BUDGET_MISSED'
  | 'RUNTIME_FAILED'
  | 'WRITE_FAILED'
  | 'DOWNLOAD_FAILED'
  | 'INTERNAL'
  // Stopped by the user: exit code 130.
  | 'INTERRUPTED';

const WORK_FAILURES: ReadonlySet<ErrorCode> = new Set([
  'NON_FINITE_ACTIVATION',
  'NOT_POSITIVE_DEFINITE',
  'SOLVER_FAILED',
  'BUDGET_MISSED',
  'RUNTIME_FAILED',
  'WRITE_FAILED',
  'DOWNLOAD_FAILED',
  'INTERNAL',
]);

/** What travels between threads: structured clone drops an error's class, its code and its own fields. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly context: Readonly<Record<string, unknown>>;
}

/**
 * The one error class. The message tells what failed, the actual value, the limit and the next step;
 * `context` carries the same facts for programs.
 */
export class CompressionError extends Error {
  readonly code: ErrorCode;
  readonly context: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    context: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'CompressionError';
    this.code = code;
    this.context = context;
  }
}

/** The exit code a command line gives for this error: 130 interrupted, 1 failed while working, 2 bad usage or input. */
export function exitCodeOf(code: ErrorCode): 1 | 2 | 130 {
  if (code === 'INTERRUPTED') return 130;
  return WORK_FAILURES.has(code) ? 1 : 2;
}

/** Turns anything thrown into a plain record; what is not a CompressionError becomes `INTERNAL`. */
export function toErrorRecord(error: unknown): ErrorRecord {
  if (error instanceof CompressionError) {
    return { code: error.code, message: error.message, context: error.context };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'INTERNAL', message, context: {} };
}

/** The inverse of {@link toErrorRecord}. */
export function fromErrorRecord(record: ErrorRecord): CompressionError {
  return new CompressionError(record.code, record.message, record.context);
}
