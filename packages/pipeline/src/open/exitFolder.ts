import { rmSync } from 'node:fs';
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive, startOf } from '../output/isAlive.ts';

/** Says whose a folder is. */
const MARK = '.process';

const folders: string[] = [];

function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

/**
 * A new temporary folder, `quern-<name>-...`, that is removed when the process ends: sessions open weights by their path, again and again.
 * Folders that killed processes of this machine left are removed first.
 */
export async function exitFolder(name: string): Promise<string> {
  if (folders.length === 0) {
    process.once('exit', removeFolders);
    await removeLeft();
  }
  const folder = await mkdtemp(join(tmpdir(), `quern-${name}-`));
  folders.push(folder);
  await writeFile(join(folder, MARK), [process.pid, await startOf(process.pid), await machine()].join(' '));
  return folder;
}

async function removeLeft(): Promise<void> {
  const here = await machine();
  for (const name of await readdir(tmpdir()).catch(() => [])) {
    if (!name.startsWith('quern-')) continue;
    const mark = await readFile(join(tmpdir(), name, MARK), 'utf8').catch(() => '');
    const [pid = '', start = '', ...place] = mark.split(' ');
    if (place.join(' ') !== here || (await isAlive(Number(pid), start || undefined))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Where a process number means a process: containers may share the folder of temporary files. */
async function machine(): Promise<string> {
  return `${hostname()} ${await readlink('/proc/self/ns/pid').catch(() => '')}`;
}
