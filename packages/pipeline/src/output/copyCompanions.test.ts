import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
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
