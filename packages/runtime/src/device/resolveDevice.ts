import { CompressionError } from '@quern/core';
import { DEVICES, type Device } from './device.ts';
import { deviceSpeeds } from './deviceSpeeds.ts';
import type { DeviceSpeed } from './measureDevice.ts';
import { probeDevices } from './probeDevices.ts';

export interface ResolvedDevice {
  readonly device: Device;
  /** Why `auto` came down to the CPU; null for a device asked for by name and for an accelerator. */
  readonly fallbackReason: string | null;
  /** Where solvers multiply: what `auto` takes for the model, only where it is so much faster that it is for them too. */
  readonly solvesOn: Device;
}

/**
 * Times as fast as all cores. Solvers send matrices there and back, and where whole sweeps run there they take up to 2.4 times the multiply-adds:
 * inverses come from products.
 */
const LEAST_TIMES_CPU = 3;

/**
 * Chooses where to run: the device asked for, or for `auto` the one that multiplies matrices fastest of those that work, measured once
 * on a machine and kept in `cacheFolder` (see `deviceSpeeds`). A machine without a working accelerator is not measured.
 *
 * Errors: DEVICE_UNAVAILABLE when a device asked for by name does not work, with the reason and what to install.
 */
export async function resolveDevice(
  requested: 'auto' | Device,
  cacheFolder: string,
  onMeasure?: (device: Device) => void,
): Promise<ResolvedDevice> {
  if (requested === 'cpu') return { device: 'cpu', fallbackReason: null, solvesOn: 'cpu' };
  if (requested !== 'auto') {
    const [probe] = await probeDevices([requested]);
    if (probe!.available) return { device: requested, fallbackReason: null, solvesOn: requested };
    throw new CompressionError(
      'DEVICE_UNAVAILABLE',
      `The device ${requested} cannot be used: ${probe!.detail} Or use --device auto or --device cpu.`,
      { device: requested, reason: probe!.reason },
    );
  }
  const probes = await probeDevices(DEVICES.filter(device => device !== 'cpu'));
  const working = probes.filter(probe => probe.available).map(probe => probe.device);
  if (working.length > 0) return fastest(await deviceSpeeds(['cpu', ...working], cacheFolder, onMeasure));
  const reasons = probes.map(probe => `${probe.device}: ${probe.reason}`).join('; ');
  return {
    device: 'cpu',
    fallbackReason: `no accelerator works (${reasons}); quern doctor says what to install`,
    solvesOn: 'cpu',
  };
}

/** The device with the fastest products. */
export function fastest(speeds: ReadonlyMap<Device, DeviceSpeed>): ResolvedDevice {
  const [first] = [...speeds].sort(([, a], [, b]) => b.gemmFlops - a.gemmFlops);
  if (first && first[0] !== 'cpu') {
    const isFaster = first[1].gemmFlops >= LEAST_TIMES_CPU * (speeds.get('cpu')?.gemmFlops ?? 0);
    return { device: first[0], fallbackReason: null, solvesOn: isFaster ? first[0] : 'cpu' };
  }
  const rates = [...speeds]
    .map(([device, { gemmFlops }]) => `${device} ${(gemmFlops / 1e9).toPrecision(3)}`)
    .join(', ');
  const fallbackReason = `the CPU multiplies faster than the accelerator (GFLOP/s: ${rates})`;
  return { device: 'cpu', fallbackReason, solvesOn: 'cpu' };
}
