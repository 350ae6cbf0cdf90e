import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const DRM = '/sys/class/drm';

/**
 * The graphics cards of this machine and what drives them, as far as the system tells without a driver of ours: NVIDIA's by name, memory
 * and driver version, others on Linux by vendor and device number, with the Vulkan drivers that the environment chooses.
 */
export async function describeGpus(environment: NodeJS.ProcessEnv = process.env): Promise<readonly string[]> {
  const chosen = environment.VK_DRIVER_FILES ?? environment.VK_ICD_FILENAMES;
  return [...(await nvidiaCards()), ...(await otherCards()), ...(chosen ? [`Vulkan driver ${chosen}`] : [])];
}

async function nvidiaCards(): Promise<string[]> {
  try {
    const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader'];
    const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: 10_000 });
    return stdout.trim().split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

async function otherCards(): Promise<string[]> {
  const names = (await readdir(DRM).catch(() => [])).filter(name => /^card\d+$/.test(name)).sort();
  const cards: string[] = [];
  for (const name of names) {
    const read = (file: string) => readFile(`${DRM}/${name}/device/${file}`, 'utf8').catch(() => '');
    const [vendor, device] = [(await read('vendor')).trim(), (await read('device')).trim()];
    // NVIDIA's are in the list above, by name.
    if (vendor && vendor !== '0x10de') cards.push(`${name} ${vendor}:${device}`);
  }
  return cards;
}
