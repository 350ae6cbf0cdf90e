import { cpus, totalmem } from 'node:os';
import type { EngineDescription } from '@quern/linalg';
import { type DeviceProbe, probeDevices } from '@quern/runtime';
import { openEngine } from './openEngine.ts';
import { type Versions, versions } from './versions.ts';

export interface Diagnosis extends Versions {
  readonly platform: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** What multiplies and factorises in the solvers. */
  readonly engine: EngineDescription;
  readonly devices: readonly DeviceProbe[];
}

/** What this machine can run, device by device, and what is missing for the rest. */
export async function diagnose(): Promise<Diagnosis> {
  return {
    ...versions(),
    platform: `${process.platform}-${process.arch}, ${cpus()[0]?.model.trim() ?? 'unknown processor'}`,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    engine: await openEngine(),
    devices: await probeDevices(),
  };
}
