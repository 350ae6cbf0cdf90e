import type { InferenceSession } from 'onnxruntime-node';

/** What runs a graph. */
export interface GraphPlace {
  /** An execution provider. */
  readonly device: string;
  readonly threads: number;
}

/** How sessions for products are opened: threads that wait leave the cores to others. `entries` are settings of the session beside that. */
export function sessionOptions(
  { device, threads }: GraphPlace,
  entries: Readonly<Record<string, string>> = {},
): InferenceSession.SessionOptions {
  return {
    executionProviders: [device],
    intraOpNumThreads: threads,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' }, ...entries } },
  };
}
