import { hubSettings } from '@quern/calibration';
import { type Device, type ResolvedDevice, resolveDevice } from '@quern/runtime';

/** `resolveDevice` with what was measured before in the cache folder of downloads: `devices.json` there. Errors: its own. */
export function chooseDevice(requested: 'auto' | Device): Promise<ResolvedDevice> {
  return resolveDevice(requested, hubSettings().cacheFolder);
}
