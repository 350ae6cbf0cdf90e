import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Device } from './device.ts';

const MEBIBYTE = 2 ** 20;

/**
 * Free bytes in the memory of the first accelerator, as its driver tells: nvidia-smi, or what AMD's driver writes for Linux. Null where
 * neither answers; WebGPU itself does not tell.
 */
export async function deviceMemory(device: Device): Promise<number | null> {
  if (device === 'cpu') return null;
  return (await nvidiaMemory()) ?? (device === 'webgpu' ? await amdMemory() : null);
}

async function nvidiaMemory(): Promise<number | null> {
  try {
    const query = ['--query-gpu=memory.free', '--format=csv,noheader,nounits'];
    const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: 10_000 });
    const free = Number(stdout.split('\n')[0]);
    return free > 0 ? free * MEBIBYTE : null;
  } catch {
    return null;
  }
}

async function amdMemory(): Promise<number | null> {
  const folder = '/sys/class/drm';
  for (const card of await readdir(folder).catch(() => [])) {
    const read = async (file: string) => Number(await readFile(`${folder}/${card}/device/${file}`, 'utf8'));
    try {
      const free = (await read('mem_info_vram_total')) - (await read('mem_info_vram_used'));
      if (free > 0) return free;
    } catch {
      // No file of that name: another driver's card.
    }
  }
  return null;
}
