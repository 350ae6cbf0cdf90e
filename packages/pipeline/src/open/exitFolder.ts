import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders: string[] = [];

function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

/** A new temporary folder, `quern-<name>-...`, that is removed when the process ends: sessions open weights by their path, again and again. */
export async function exitFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `quern-${name}-`));
  if (folders.length === 0) process.once('exit', removeFolders);
  folders.push(folder);
  return folder;
}
