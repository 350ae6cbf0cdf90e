import { askDevice } from './askDevice.ts';
import { DEVICES, type Device } from './device.ts';
import { inspectSystem } from './inspectSystem.ts';
import { installAdvice } from './installAdvice.ts';

export interface DeviceProbe {
  readonly device: Device;
  readonly available: boolean;
  /** Why it cannot be used, in ONNX Runtime's words; null when it can. */
  readonly reason: string | null;
  /** The reason and what to install; empty when the device can be used. */
  readonly detail: string;
}

/**
 * Finds out which devices work by multiplying two matrices on each, in child processes: the list of providers in ONNX
 * Runtime only tells what was compiled in, and a broken driver can end the process.
 *
 * Never throws for a missing device. Cost: about half a second.
 */
export async function probeDevices(devices: readonly Device[] = DEVICES): Promise<readonly DeviceProbe[]> {
  return Promise.all(
    devices.map(async device => {
      const { failure } = await askDevice(device, 'try');
      if (failure === null) return { device, available: true, reason: null, detail: '' };
      const detail = `${failure}. ${installAdvice(device, await inspectSystem())}`;
      return { device, available: false, reason: failure, detail };
    }),
  );
}
