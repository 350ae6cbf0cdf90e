import { hubSettings } from '@quern/calibration';
import { type Device, type ResolvedDevice, resolveDevice } from '@quern/runtime';
import type { Emit } from '../events.ts';

/** `resolveDevice` with what was measured before in the cache folder of downloads: `devices.json` there. Errors: its own. */
export function chooseDevice(requested: 'auto' | Device, emit: Emit): Promise<ResolvedDevice> {
  return resolveDevice(requested, hubSettings().cacheFolder, device =>
    emit({ kind: 'stage', stage: 'open', detail: `measures how fast ${device} is, once on this machine` }),
  );
}
