import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordFigures } from '../../tools/gpu/recordFigures.ts';
import { useGpu } from '../../tools/gpu/useGpu.ts';
import { demo, runQuern } from '../runQuern.ts';

interface Doctor {
  readonly devices: readonly {
    readonly device: string;
    readonly available: boolean;
    readonly detail: string;
    readonly speed: { readonly gemmFlops: number } | null;
  }[];
  readonly auto: { readonly device: string; readonly fallbackReason: string | null };
}

const gpu = await useGpu();
interface Manifest {
  readonly device: string;
  readonly sites: readonly { readonly relativeOutputError: number }[];
}

let folder = '';
let text = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-device-commands-'));
  text = join(folder, 'text.txt');
  await writeFile(text, 'Once upon a time there was a little girl who liked to play with her dog in the garden.');
  // Speeds of this machine are measured for this test alone.
  process.env.QUERN_CACHE = join(folder, 'cache');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function doctor(): Promise<Doctor> {
  const { code, stdout } = await runQuern('doctor', '--json');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Doctor;
}

const evaluate = async (device: string) => {
  const run = await runQuern('evaluate', demo, '--data', text, '--window-length', '8', '--device', device, '--json');
  return { ...run, result: run.code === 0 ? JSON.parse(run.stdout) : null };
};

// A Vulkan driver that does not exist hides those of the system.
const nowhere = { VK_DRIVER_FILES: join(tmpdir(), 'no-such-driver.json') };

describe('with nothing installed', () => {
  const own = process.env.VK_DRIVER_FILES;
  beforeAll(() => {
    Object.assign(process.env, nowhere);
  });
  afterAll(() => {
    if (own === undefined) delete process.env.VK_DRIVER_FILES;
    else process.env.VK_DRIVER_FILES = own;
  });

  it.skipIf(process.platform !== 'linux')('doctor says what to install, and that auto takes the CPU', async () => {
    const { devices, auto } = await doctor();
    const [cuda, webgpu, cpu] = ['cuda', 'webgpu', 'cpu'].map(name => devices.find(({ device }) => device === name)!);
    expect(cpu).toMatchObject({ available: true, detail: '' });
    expect(webgpu).toMatchObject({ available: false, speed: null });
    expect(webgpu!.detail).toMatch(/Vulkan/);
    if (cuda!.available) return;
    expect(cuda!.detail).toMatch(/CUDA 12 and cuDNN 9/);
    expect(auto).toMatchObject({ device: 'cpu', fallbackReason: expect.stringMatching(/^no accelerator works/) });
    const { stdout } = await runQuern('doctor');
    expect(stdout).toMatch(/^cuda {4}does not work: .*load.*For CUDA: .*CUDA 12 and cuDNN 9/m);
    expect(stdout).toMatch(/^webgpu {2}does not work: .*WebGPU runs on Vulkan here: /m);
    expect(stdout).toMatch(/^cpu {5}works: [\d.]+ GFLOP\/s in float32 products, [\d.]+ GB\/s in sums$/m);
    expect(stdout).toMatch(/^--device auto takes cpu: no accelerator works/m);
  });

  it.skipIf(process.platform !== 'linux')(
    'a device asked for by name is refused, auto falls back and says so',
    async () => {
      const refused = await evaluate('webgpu');
      expect(refused.code).toBe(2);
      expect(refused.stderr).toMatch(
        /The device webgpu cannot be used: .*Vulkan.* --device cpu.* \[DEVICE_UNAVAILABLE\]/,
      );
      const { stderr, result } = await evaluate('auto');
      if (result.device === 'cuda') return;
      expect(stderr).toContain('on cpu (no accelerator works');
      expect(result).toMatchObject({ device: 'cpu', fallbackReason: expect.stringContaining('webgpu: ') });
    },
  );
});

describe.skipIf(gpu === null)('with WebGPU', () => {
  it('doctor measures it, and auto takes the faster device', async () => {
    const { devices, auto } = await doctor();
    const speedOf = (name: string) => devices.find(({ device }) => device === name)!.speed?.gemmFlops ?? 0;
    expect(speedOf('webgpu')).toBeGreaterThan(1e6);
    const best = ['cpu', 'webgpu', 'cuda'].toSorted((a, b) => speedOf(b) - speedOf(a))[0];
    expect(auto.device).toBe(best);
    if (gpu?.kind === 'SwiftShader') expect(auto.fallbackReason).toMatch(/CPU multiplies faster .*webgpu/);
    // Measured once: what stands in the cache is what it says next time.
    const kept = await readFile(join(folder, 'cache', 'devices.json'), 'utf8');
    expect(kept).toContain(String(speedOf('webgpu')));
    await recordFigures(gpu, 'speeds', devices);
    const { stdout } = await runQuern('doctor');
    expect(stdout).toMatch(/^webgpu {2}works: [\d.]+ GFLOP\/s in float32 products, [\d.]+ GB\/s in sums$/m);
    expect(stdout).toContain(`--device auto takes ${auto.device}`);
  });

  it('compress calibrates there, and says so', async () => {
    const out = (device: string) => join(folder, device);
    const compress = async (device: string) => {
      const few = ['--calibration', text, '--windows', '1', '--window-length', '12', '--evaluate', 'none'];
      const one = ['--method', 'gptq', '--exclude', 'model.layers.{1,2,3,4,5}.*'];
      const run = await runQuern('compress', demo, '--out', out(device), ...few, ...one, '--device', device);
      expect(run.stderr + run.code).toMatch(/0$/);
      return JSON.parse(await readFile(join(out(device), 'quern.json'), 'utf8')) as Manifest;
    };
    const [webgpu, cpu] = [await compress('webgpu'), await compress('cpu')];
    expect(webgpu.device).toBe('webgpu');
    expect(webgpu.sites).toHaveLength(7);
    for (const [index, { relativeOutputError }] of webgpu.sites.entries()) {
      // Twelve tokens leave much of a Gram to damping: errors are close, not equal.
      expect(relativeOutputError / cpu.sites[index]!.relativeOutputError).toBeCloseTo(1, 0);
    }
  });
});
