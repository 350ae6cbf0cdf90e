import { describe, expect, it } from 'vitest';
import type { Device } from './device.ts';
import { probeDevices } from './probeDevices.ts';
import { resolveDevice } from './resolveDevice.ts';

/** A provider that no machine has. */
const ABSENT = 'abacus' as Device;

describe('probeDevices', () => {
  it('finds the CPU working and says why another device is not', async () => {
    const [cpu, absent] = await probeDevices(['cpu', ABSENT]);
    expect(cpu).toEqual({ device: 'cpu', available: true, reason: null, detail: '' });
    expect(absent).toMatchObject({ device: ABSENT, available: false });
    expect(absent!.reason).toMatch(/abacus|execution provider|backend/i);
    expect(absent!.detail).toContain(absent!.reason!);
  });
});

describe('resolveDevice', () => {
  it('takes the CPU without a question', async () => {
    expect(await resolveDevice('cpu')).toEqual({ device: 'cpu', fallbackReason: null });
  });

  it('refuses a device that is asked for by name and does not work', async () => {
    await expect(resolveDevice(ABSENT)).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: expect.stringMatching(/The device abacus cannot be used: .* --device auto or --device cpu/),
    });
  });

  it('falls back on auto only, and says why', async () => {
    const probes = await probeDevices(['cuda', 'webgpu']);
    const working = probes.find(probe => probe.available);
    const { device, fallbackReason } = await resolveDevice('auto');
    expect(device).toBe(working?.device ?? 'cpu');
    if (working) expect(fallbackReason).toBeNull();
    else for (const probe of probes) expect(fallbackReason).toContain(`${probe.device}: ${probe.reason}`);
  });
});
