import type { EngineDescription } from '@quern/linalg';
import type { BlockCut } from '@quern/onnx';
import type { Device } from '@quern/runtime';
import type { CompressRequest } from './compressRequest.ts';
import type { Emit } from './events.ts';
import type { Material } from './open/material.ts';
import type { OpenedModel } from './open/openModel.ts';
import type { OutputLayout } from './output/outputLayout.ts';
import type { RunFolder } from './output/runFolder.ts';
import type { JobContent } from './solve/jobKey.ts';
import type { ResultStore } from './solve/resultStore.ts';
import type { SitePlan } from './solve/sitePlan.ts';

/** Everything that the parts of one compression share. */
export interface CompressRun {
  readonly request: CompressRequest;
  readonly opened: OpenedModel;
  readonly plans: readonly SitePlan[];
  /** Null when the graph is no chain of blocks. */
  readonly cuts: readonly BlockCut[] | null;
  /** Null when no solver of this run reads activations. */
  readonly calibration: Material | null;
  readonly origin: JobContent;
  readonly device: Device;
  /** Where solvers multiply. */
  readonly solvesOn: Device;
  /** Why `auto` came down to the CPU; null otherwise. */
  readonly fallbackReason: string | null;
  /** What runs the kernels of the solvers. */
  readonly engine: EngineDescription;
  readonly layout: OutputLayout;
  readonly folder: RunFolder;
  readonly results: ResultStore;
  readonly emit: Emit;
  readonly signal: AbortSignal | undefined;
}
