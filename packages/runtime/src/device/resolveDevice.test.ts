import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from './device.ts';
import { deviceSpeeds } from './deviceSpeeds.ts';
import { probeDevices } from './probeDevices.ts';
import { fastest, resolveDevice } from './resolveDevice.ts';

/** A provider that no machine has. */
const ABSENT = 'abacus' as Device;

let cache = '';
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'quern-speeds-'));
});
afterAll(() => rm(cache, { recursive: true }));

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
    expect(await resolveDevice('cpu', cache)).toEqual({ device: 'cpu', fallbackReason: null, solvesOn: 'cpu' });
  });

  it('refuses a device that is asked for by name and does not work', async () => {
    await expect(resolveDevice(ABSENT, cache)).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: expect.stringMatching(/The device abacus cannot be used: .* --device auto or --device cpu/),
    });
  });

  it('falls back on auto only, and says why', async () => {
    const probes = await probeDevices(['cuda', 'webgpu']);
    const { device, fallbackReason } = await resolveDevice('auto', cache);
    if (device !== 'cpu') {
      expect(probes.filter(probe => probe.available).map(probe => probe.device)).toContain(device);
      expect(fallbackReason).toBeNull();
    } else if (probes.some(probe => probe.available)) expect(fallbackReason).toContain('CPU multiplies faster');
    else for (const probe of probes) expect(fallbackReason).toContain(`${probe.device}: ${probe.reason}`);
  });
});

describe('fastest', () => {
  const speed = (gemmFlops: number) => ({ gemmFlops, copyBytes: 1 });

  it('takes the device with the fastest products, and says why that is the CPU', () => {
    const gpu = new Map([
      ['cpu', speed(2e11)],
      ['webgpu', speed(5e12)],
      ['cuda', speed(2e13)],
    ] as const);
    expect(fastest(gpu)).toEqual({ device: 'cuda', fallbackReason: null, solvesOn: 'cuda' });
    const software = new Map([
      ['cpu', speed(2e11)],
      ['webgpu', speed(9e7)],
    ] as const);
    expect(fastest(software)).toEqual({
      device: 'cpu',
      fallbackReason: 'the CPU multiplies faster than the accelerator (GFLOP/s: cpu 200, webgpu 0.0900)',
      solvesOn: 'cpu',
    });
  });

  it('solves on the CPU beside a device that is only a little faster', () => {
    const beside = (gemmFlops: number) =>
      fastest(
        new Map([
          ['cpu', speed(2e11)],
          ['webgpu', speed(gemmFlops)],
        ] as const),
      );
    expect(beside(5.9e11)).toMatchObject({ device: 'webgpu', solvesOn: 'cpu' });
    expect(beside(6.1e11)).toMatchObject({ device: 'webgpu', solvesOn: 'webgpu' });
  });
});

describe('deviceSpeeds', () => {
  it('measures once a machine, and takes what stands in the cache', async () => {
    const path = join(cache, 'devices.json');
    const measured = (await deviceSpeeds(['cpu'], cache)).get('cpu')!;
    expect(measured.gemmFlops).toBeGreaterThan(1e8);
    const kept = JSON.parse(await readFile(path, 'utf8')) as Record<string, { cpu: { gemmFlops: number } }>;
    const [machine] = Object.keys(kept);
    expect(kept[machine!]!.cpu).toEqual(measured);
    kept[machine!]!.cpu.gemmFlops = 12_345;
    await writeFile(path, JSON.stringify({ ...kept, other: {} }));
    expect((await deviceSpeeds(['cpu'], cache)).get('cpu')!.gemmFlops).toBe(12_345);
  });
});
