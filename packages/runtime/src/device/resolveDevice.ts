import { CompressionError } from '@quern/core';
import { DEVICES, type Device } from './device.ts';
import { probeDevices } from './probeDevices.ts';

export interface ResolvedDevice {
  readonly device: Device;
  /** Why `auto` came down to the CPU; null for a device asked for by name and for an accelerator. */
  readonly fallbackReason: string | null;
}

/**
 * Chooses where to run: the device asked for, or for `auto` the first that works of cuda, webgpu, cpu.
 *
 * Errors: DEVICE_UNAVAILABLE when a device asked for by name does not work, with the reason and what to install.
 */
export async function resolveDevice(requested: 'auto' | Device): Promise<ResolvedDevice> {
  if (requested === 'cpu') return { device: 'cpu', fallbackReason: null };
  if (requested !== 'auto') {
    const [probe] = await probeDevices([requested]);
    if (probe!.available) return { device: requested, fallbackReason: null };
    throw new CompressionError(
      'DEVICE_UNAVAILABLE',
      `The device ${requested} cannot be used: ${probe!.detail} Or use --device auto or --device cpu.`,
      { device: requested, reason: probe!.reason },
    );
  }
  const probes = await probeDevices(DEVICES.filter(device => device !== 'cpu'));
  const working = probes.find(probe => probe.available);
  if (working) return { device: working.device, fallbackReason: null };
  const reasons = probes.map(probe => `${probe.device}: ${probe.reason}`).join('; ');
  return {
    device: 'cpu',
    fallbackReason: `Running on the CPU, no accelerator works (${reasons}). See quern doctor for what to install.`,
  };
}
