import { chmod, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../testSupport/temporaryFolder.ts';
import { copyCompanions } from './copyCompanions.ts';

const folder = temporaryFolder();

it('copies files and links to files, but no folders', async () => {
  const [source, target] = [join(folder.path, 'source'), join(folder.path, 'target')];
  await mkdir(join(source, 'licenses'), { recursive: true });
  await writeFile(join(source, 'LICENSE'), 'terms');
  await writeFile(join(source, 'blob'), '{}');
  await symlink('blob', join(source, 'tokenizer.json'));
  await copyCompanions(source, target);
  expect((await readdir(target)).sort()).toEqual(['LICENSE', 'tokenizer.json']);
});

it('gives copies of read-only files the mode of new files', async () => {
  const [source, target] = [join(folder.path, 'read-only'), join(folder.path, 'copies')];
  await mkdir(source, { recursive: true });
  await writeFile(join(source, 'LICENSE'), 'terms');
  await chmod(join(source, 'LICENSE'), 0o444);
  await copyCompanions(source, target);
  expect((await stat(join(target, 'LICENSE'))).mode & 0o200).toBe(0o200);
});
