import { cpus, totalmem } from 'node:os';
import { hubSettings } from '@quern/calibration';
import type { EngineDescription } from '@quern/linalg';
import {
  type DeviceProbe,
  type DeviceSpeed,
  describeGpus,
  deviceSpeeds,
  probeDevices,
  type ResolvedDevice,
} from '@quern/runtime';
import { chooseDevice } from './device/chooseDevice.ts';
import { openEngine } from './openEngine.ts';
import { type Versions, versions } from './versions.ts';

export interface Diagnosis extends Versions {
  readonly platform: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** What multiplies and factorises in the solvers. */
  readonly engine: EngineDescription;
  /** Graphics cards, as far as the system names them. */
  readonly gpus: readonly string[];
  readonly devices: readonly (DeviceProbe & {
    /** Null for what does not work. */ readonly speed: DeviceSpeed | null;
  })[];
  /** What `--device auto` takes, and why where it is the CPU. */
  readonly auto: ResolvedDevice;
}

/** What this machine can run, device by device, and what is missing for the rest. */
export async function diagnose(): Promise<Diagnosis> {
  const probes = await probeDevices();
  const working = probes.filter(probe => probe.available).map(probe => probe.device);
  const speeds = await deviceSpeeds(working, hubSettings().cacheFolder);
  return {
    ...versions(),
    platform: `${process.platform}-${process.arch}, ${cpus()[0]?.model.trim() ?? 'unknown processor'}`,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    engine: await openEngine(),
    gpus: await describeGpus(),
    devices: probes.map(probe => ({ ...probe, speed: speeds.get(probe.device) ?? null })),
    auto: await chooseDevice('auto', () => undefined),
  };
}
