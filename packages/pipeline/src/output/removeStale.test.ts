import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sampleComparison } from '../report/testSupport/sampleComparison.ts';
import { temporaryFolder } from '../testSupport/temporaryFolder.ts';
import { removeStale } from './removeStale.ts';

const folder = temporaryFolder();
const put = (name: string, content: string) => writeFile(join(folder.path, name), content);

it('removes an earlier comparison, but neither what replaces it nor files of these names that are none', async () => {
  const comparison = JSON.stringify(sampleComparison());
  await Promise.all([put('results.json', comparison), put('report.html', 'drawn'), put('own.txt', '')]);
  await removeStale(folder.path, ['results.json', 'report.html']);
  expect((await readdir(folder.path)).sort()).toEqual(['own.txt', 'report.html', 'results.json']);
  await removeStale(folder.path, ['quern.json']);
  expect(await readdir(folder.path)).toEqual(['own.txt']);
  await Promise.all([put('results.json', '{"rows":[]}'), put('report.html', 'a letter')]);
  await removeStale(folder.path, ['quern.json']);
  expect(await readFile(join(folder.path, 'report.html'), 'utf8')).toBe('a letter');
});
