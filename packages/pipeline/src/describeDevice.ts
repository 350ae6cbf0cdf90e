import type { Device } from '@quern/runtime';

/** The device of a run in words; only `auto` falls back, and then this says so. */
export function describeDevice(device: Device, fallbackReason: string | null): string {
  return fallbackReason === null ? device : `${device} (no accelerator works; quern doctor says why)`;
}
