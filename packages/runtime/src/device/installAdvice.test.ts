import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectSystem, missingLibraries, type SystemFacts } from './inspectSystem.ts';
import { installAdvice } from './installAdvice.ts';

/** A Linux without anything for a GPU. */
const bare: SystemFacts = {
  platform: 'linux-x64',
  runtimeFolder: 'node_modules/onnxruntime-node',
  hasCudaProvider: false,
  missingCudaLibraries: [],
  hasNvidiaDriver: false,
  hasVulkanLoader: false,
  vulkanDrivers: [],
};

describe('advice on CUDA', () => {
  it('names driver, provider library, CUDA and cuDNN where nothing is there', () => {
    expect(installAdvice('cuda', bare)).toBe(
      'Without CUDA --device webgpu may work. For CUDA: install a driver of NVIDIA (nvidia-smi finds no card); ' +
        'fetch the provider library, which is not in the npm package: ' +
        'ONNXRUNTIME_NODE_INSTALL=cuda12 node script/install.js in node_modules/onnxruntime-node; ' +
        'install CUDA 12 and cuDNN 9, which it loads.',
    );
  });

  it('names the libraries that the provider does not find', () => {
    const ldd = `\tlinux-vdso.so.1 (0x00007ffc)
\tlibcublasLt.so.12 => not found
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)
\tlibcudnn.so.9 => not found
`;
    const missingCudaLibraries = missingLibraries(ldd);
    expect(missingCudaLibraries).toEqual(['libcublasLt.so.12', 'libcudnn.so.9']);
    const facts = { ...bare, hasNvidiaDriver: true, hasCudaProvider: true, missingCudaLibraries };
    expect(installAdvice('cuda', facts)).toMatch(
      /For CUDA: install CUDA 12 and cuDNN 9 .* missing: libcublasLt\.so\.12, libcudnn\.so\.9\.$/,
    );
  });

  it.skipIf(process.platform !== 'linux')(
    'finds that CUDA is missing behind a provider library that is there',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'quern-provider-'));
      const binaries = join('bin', 'napi-v6', process.platform, process.arch);
      const { runtimeFolder } = await inspectSystem();
      // A library that needs one which lies beside it: elsewhere, under the name of CUDA's, nobody finds it.
      const binding = await readFile(join(runtimeFolder, binaries, 'onnxruntime_binding.node'));
      const needed = Buffer.from('libonnxruntime.so.1\0');
      const at = binding.indexOf(needed);
      expect(at).toBeGreaterThan(0);
      binding.fill(0, at, at + needed.length);
      binding.write('libcublasLt.so.12', at);
      await mkdir(join(folder, binaries), { recursive: true });
      await writeFile(join(folder, binaries, 'libonnxruntime_providers_cuda.so'), binding);
      try {
        const facts = await inspectSystem({}, folder);
        expect(facts).toMatchObject({ hasCudaProvider: true, missingCudaLibraries: ['libcublasLt.so.12'] });
        expect(installAdvice('cuda', { ...facts, platform: 'linux-x64' })).toMatch(
          /install CUDA 12 and cuDNN 9 where the dynamic loader finds them; missing: libcublasLt\.so\.12\.$/,
        );
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  );

  it('points elsewhere where CUDA cannot work', () => {
    expect(installAdvice('cuda', { ...bare, platform: 'darwin-arm64' })).toMatch(/not on darwin-arm64: .*webgpu/);
  });
});

describe('advice on WebGPU', () => {
  it('names loader and driver where nothing is there', () => {
    expect(installAdvice('webgpu', bare)).toMatch(
      /libvulkan1 on Debian.*; install a Vulkan driver \(mesa-vulkan-drivers/,
    );
  });

  it('names the driver alone where the loader is there, and the other way round', () => {
    const withLoader = installAdvice('webgpu', { ...bare, hasVulkanLoader: true });
    expect(withLoader).not.toContain('libvulkan');
    expect(withLoader).toContain('mesa-vulkan-drivers');
    const withDriver = installAdvice('webgpu', { ...bare, vulkanDrivers: ['a.json'] });
    expect(withDriver).toContain('libvulkan1');
    expect(withDriver).not.toContain('mesa');
  });

  it('names the file of a card whose driver is there without Vulkan', () => {
    expect(installAdvice('webgpu', { ...bare, hasNvidiaDriver: true })).toMatch(/VK_DRIVER_FILES at nvidia_icd\.json/);
  });

  it('asks for rights where both are there', () => {
    const facts = { ...bare, hasVulkanLoader: true, vulkanDrivers: ['a.json'] };
    expect(installAdvice('webgpu', facts)).toMatch(/a\.json are there, but .*group render/);
  });
});
