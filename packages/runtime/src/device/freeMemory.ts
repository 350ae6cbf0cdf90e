import { readFile } from 'node:fs/promises';
import { freemem, platform, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

/** What a process can still have before the kernel would end it, in bytes. */
export interface FreeMemory {
  /** Of the machine's memory. */
  readonly memoryBytes: number;
  /** On a disk, beside it: reached a thousand times as slowly. */
  readonly swapBytes: number;
}

/** Where the files of a control group lie, and what they are called. */
interface GroupFiles {
  readonly folder: string;
  readonly limit: string;
  readonly usage: string;
  /** Keys of memory.stat whose pages the kernel can take back: cached files. */
  readonly reclaimable: readonly string[];
  readonly swap: {
    readonly limit: string;
    readonly usage: string;
    /** Whether they count memory as well. */
    readonly isTotal: boolean;
  };
}

/**
 * What Linux calls available, and its free swap, or less where a control group of the process, as containers have, leaves less. Elsewhere
 * all of the machine's memory, and no swap: those systems move pages to disk by themselves.
 */
export async function freeMemory(root = '/'): Promise<FreeMemory> {
  if (platform() !== 'linux') return { memoryBytes: totalmem(), swapBytes: 0 };
  const groups = groupFiles(await read(join(root, 'proc/self/cgroup')), join(root, 'sys/fs/cgroup'));
  const rooms = await Promise.all(groups.map(roomIn));
  const swapFree = 1024 * Number(/^SwapFree:\s+(\d+) kB$/m.exec(await read(join(root, 'proc/meminfo')))?.[1] ?? 0);
  return {
    memoryBytes: Math.min(freemem(), ...rooms.map(({ memory }) => memory)),
    swapBytes: Math.min(swapFree, ...rooms.map(({ swap }) => swap)),
  };
}

/** Groups of the first version write the largest number of pages, 2^63 bytes less a page, for no limit. */
const NO_LIMIT = 2 ** 62;

function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}

/** Every group that limits the process: its own and those above it, of either version. */
function groupFiles(groups: string, root: string): GroupFiles[] {
  return groups.split('\n').flatMap(line => {
    const [, controllers, ...path] = line.split(':');
    if (controllers === undefined) return [];
    const place = path.join(':');
    if (controllers === '') {
      const swap = { limit: 'memory.swap.max', usage: 'memory.swap.current', isTotal: false };
      const reclaimable = ['inactive_file', 'active_file'];
      const names = { limit: 'memory.max', usage: 'memory.current', reclaimable, swap };
      return upwards(place).map(folder => ({ folder: join(root, folder), ...names }));
    }
    if (!controllers.split(',').includes('memory')) return [];
    const names = {
      limit: 'memory.limit_in_bytes',
      usage: 'memory.usage_in_bytes',
      reclaimable: ['total_inactive_file', 'total_active_file'],
      swap: { limit: 'memory.memsw.limit_in_bytes', usage: 'memory.memsw.usage_in_bytes', isTotal: true },
    };
    return upwards(place).map(folder => ({ folder: join(root, 'memory', folder), ...names }));
  });
}

function upwards(path: string): string[] {
  return path === dirname(path) ? [path] : [path, ...upwards(dirname(path))];
}

/** What a group leaves; infinite without a limit, or without files here. */
async function roomIn(group: GroupFiles): Promise<{ readonly memory: number; readonly swap: number }> {
  const { folder, reclaimable, swap } = group;
  const lines = (await read(join(folder, 'memory.stat'))).split('\n').map(line => line.split(' '));
  const cached = lines.filter(([key]) => reclaimable.includes(key!)).reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  const room = async ({ limit, usage }: { readonly limit: string; readonly usage: string }): Promise<number> => {
    const most = Number.parseInt(await read(join(folder, limit)), 10);
    const used = Number.parseInt(await read(join(folder, usage)), 10);
    return most < NO_LIMIT && Number.isFinite(used) ? most - used : Number.POSITIVE_INFINITY;
  };
  const memory = Math.max(0, (await room(group)) + cached);
  const swapRoom = await room(swap);
  const own = swap.isTotal && Number.isFinite(memory) ? swapRoom + cached - memory : swapRoom;
  return { memory, swap: Math.max(0, own) };
}
