import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { freemem, platform, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freeMemory } from './freeMemory.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-free-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A root with these files. */
async function rootWith(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const root = join(folder, name);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

describe.skipIf(platform() !== 'linux')('freeMemory', () => {
  it('is what is available where nothing limits the process', async () => {
    const root = await rootWith('none', {
      'proc/self/cgroup': '0::/user.slice\n',
      'sys/fs/cgroup/user.slice/memory.max': 'max\n',
      'sys/fs/cgroup/user.slice/memory.current': '1000\n',
    });
    expect(Math.abs((await freeMemory(root)).memoryBytes / freemem() - 1)).toBeLessThan(0.2);
    const { memoryBytes, swapBytes } = await freeMemory(join(folder, 'nowhere'));
    expect(memoryBytes).toBeGreaterThan(1e6);
    expect(swapBytes).toBe(0);
  });

  it('is what the tightest of the groups leaves, cached files not counted', async () => {
    const root = await rootWith('second', {
      'proc/self/cgroup': '0::/pod/container\n',
      'sys/fs/cgroup/pod/container/memory.max': '500000\n',
      'sys/fs/cgroup/pod/container/memory.current': '100000\n',
      'sys/fs/cgroup/pod/memory.max': '600000\n',
      'sys/fs/cgroup/pod/memory.current': '450000\n',
      'sys/fs/cgroup/pod/memory.stat': 'anon 400000\ninactive_file 20000\nactive_file 5000\n',
    });
    expect(await freeMemory(root)).toEqual({ memoryBytes: 175000, swapBytes: 0 });
  });

  it('reads groups of the first version, whose folder a container does not see under its name', async () => {
    const root = await rootWith('first', {
      'proc/self/cgroup': '5:cpu:/\n4:memory:/docker/abc\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '300000\n',
      'sys/fs/cgroup/memory/memory.usage_in_bytes': '290000\n',
      'sys/fs/cgroup/memory/memory.stat': 'total_inactive_file 30000\ntotal_active_file 1000\n',
    });
    expect(await freeMemory(root)).toEqual({ memoryBytes: 41000, swapBytes: 0 });
  });

  const meminfo = 'MemTotal:       24000000 kB\nSwapTotal:         4000 kB\nSwapFree:          2000 kB\n';

  it('tells the free swap, where no group limits it', async () => {
    const group = { 'proc/self/cgroup': '0::/pod\n', 'sys/fs/cgroup/pod/memory.max': 'max\n' };
    const free = await rootWith('swap', { 'proc/meminfo': meminfo, ...group });
    expect((await freeMemory(free)).swapBytes).toBe(2048000);
    const limited = await rootWith('limited', {
      'proc/meminfo': meminfo,
      ...group,
      'sys/fs/cgroup/pod/memory.swap.max': '70000\n',
      'sys/fs/cgroup/pod/memory.swap.current': '30000\n',
    });
    expect((await freeMemory(limited)).swapBytes).toBe(40000);
  });

  it('takes memory off the limit that a group of the first version has for both', async () => {
    const root = await rootWith('both', {
      'proc/meminfo': meminfo,
      'proc/self/cgroup': '4:memory:/docker/abc\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '300000\n',
      'sys/fs/cgroup/memory/memory.usage_in_bytes': '290000\n',
      'sys/fs/cgroup/memory/memory.memsw.limit_in_bytes': '400000\n',
      'sys/fs/cgroup/memory/memory.memsw.usage_in_bytes': '320000\n',
      'sys/fs/cgroup/memory/memory.stat': 'total_inactive_file 5000\n',
    });
    expect(await freeMemory(root)).toEqual({ memoryBytes: 15000, swapBytes: 70000 });
  });

  it('knows how a group of the first version says that nothing is limited', async () => {
    const root = await rootWith('unlimited', {
      'proc/meminfo': meminfo,
      'proc/self/cgroup': '4:memory:/docker/abc\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      'sys/fs/cgroup/memory/memory.usage_in_bytes': '2000000000\n',
      'sys/fs/cgroup/memory/memory.memsw.limit_in_bytes': '9223372036854771712\n',
      'sys/fs/cgroup/memory/memory.memsw.usage_in_bytes': '2100000000\n',
    });
    expect((await freeMemory(root)).swapBytes).toBe(2048000);
  });
});
