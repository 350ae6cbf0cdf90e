import { readFile } from 'node:fs/promises';
import { freemem, platform, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

/** Where the files of a control group lie, and what they are called. */
interface GroupFiles {
  readonly folder: string;
  readonly limit: string;
  readonly usage: string;
  /** Keys of memory.stat whose pages the kernel can take back: cached files. */
  readonly reclaimable: readonly string[];
}

/**
 * Bytes of memory that this process can still have before the kernel would end it: what Linux calls available, or less where a control
 * group of the process, as containers have, leaves less. Elsewhere all of the machine's memory: those systems move pages to disk instead.
 */
export async function freeMemory(root = '/'): Promise<number> {
  if (platform() !== 'linux') return totalmem();
  const groups = await readFile(join(root, 'proc/self/cgroup'), 'utf8').catch(() => '');
  const rooms = await Promise.all(groupFiles(groups, join(root, 'sys/fs/cgroup')).map(roomIn));
  return Math.min(freemem(), ...rooms.filter(room => room !== null));
}

/** Every group that limits the process: its own and those above it, of either version. */
function groupFiles(groups: string, root: string): GroupFiles[] {
  return groups.split('\n').flatMap(line => {
    const [, controllers, ...path] = line.split(':');
    if (controllers === undefined) return [];
    const place = path.join(':');
    if (controllers === '') {
      const names = { limit: 'memory.max', usage: 'memory.current', reclaimable: ['inactive_file', 'active_file'] };
      return upwards(place).map(folder => ({ folder: join(root, folder), ...names }));
    }
    if (!controllers.split(',').includes('memory')) return [];
    const names = {
      limit: 'memory.limit_in_bytes',
      usage: 'memory.usage_in_bytes',
      reclaimable: ['total_inactive_file', 'total_active_file'],
    };
    return upwards(place).map(folder => ({ folder: join(root, 'memory', folder), ...names }));
  });
}

function upwards(path: string): string[] {
  return path === dirname(path) ? [path] : [path, ...upwards(dirname(path))];
}

/** Null for a group without a limit, or without files here. */
async function roomIn({ folder, limit, usage, reclaimable }: GroupFiles): Promise<number | null> {
  const read = (file: string): Promise<string> => readFile(join(folder, file), 'utf8').catch(() => '');
  const [most, used] = [Number.parseInt(await read(limit), 10), Number.parseInt(await read(usage), 10)];
  if (!Number.isFinite(most) || !Number.isFinite(used)) return null;
  const lines = (await read('memory.stat')).split('\n').map(line => line.split(' '));
  const cached = lines.filter(([key]) => reclaimable.includes(key!)).reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  return Math.max(0, most - used + cached);
}
