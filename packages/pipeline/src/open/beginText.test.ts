import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { beginText, wholeText } from './beginText.ts';
import { openModel } from './openModel.ts';
import { prepareText } from './prepareText.ts';

const root = join(import.meta.dirname, '../../../..');
const part = 'evaluation';

let folder = '';
let data = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-text-'));
  data = join(folder, 'long.txt');
  const stories = await readFile(join(root, 'calib-data/stories/calibration.txt'), 'utf8');
  await writeFile(data, new Array(6).fill(stories).join('<|endoftext|>'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each([{}, { stride: 200 }, { perDocument: true }])(
  'cuts a long text in parts into the windows of prepareText: %j',
  async change => {
    const opened = await openModel(join(root, 'models/demo'));
    const request = { data, part, windowLength: 256, ...change } as const;
    const begun = await beginText(opened, request);
    expect('windows' in begun).toBe(false);
    expect(await wholeText(begun)).toEqual(await prepareText(opened, request));
  },
);

it('cuts a short text at once, and names the text in errors of either', async () => {
  const opened = await openModel(join(root, 'models/demo'));
  const short = join(folder, 'short.txt');
  await writeFile(short, 'Once upon a time');
  expect(await beginText(opened, { data: short, part, windowLength: 2 })).toHaveProperty('windows');
  const message = /^The evaluation text .*short.txt: The text has \d+ tokens, less than one window of 256/;
  await expect(beginText(opened, { data: short, part, windowLength: 256 })).rejects.toThrow(message);
  const empty = await mkdtemp(join(folder, 'no-tokenizer-'));
  const begun = await beginText({ ...opened, tokenizerFolder: empty }, { data, part });
  await expect(wholeText(begun)).rejects.toThrow(/^The evaluation text .*long.txt: No tokenizer.json in/);
});
