import type { ResolvedDevice } from '@quern/runtime';

/** The device of a run in words; only `auto` falls back, and then this says so. */
export function describeDevice({ device, fallbackReason }: ResolvedDevice): string {
  if (fallbackReason === null) return device;
  return `${device} (${fallbackReason.startsWith('no') ? 'no accelerator works' : 'faster here than the accelerator'}; see quern doctor)`;
}
