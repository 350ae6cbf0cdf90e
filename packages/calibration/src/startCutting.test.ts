import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { CutPart } from './cutParts.ts';
import { cutWindows } from './cutWindows.ts';
import { joinParts } from './joinParts.ts';
import { loadTextSet } from './loadTextSet.ts';
import { loadTokenizer } from './loadTokenizer.ts';
import { startCutting } from './startCutting.ts';

const ROOT = join(import.meta.dirname, '../../..');
const tokenizerFolder = join(ROOT, 'models/demo');
const options = { bosTokenId: 0, windowLength: 256, stride: 256, perDocument: false };

async function collect(parts: AsyncIterable<CutPart>): Promise<CutPart[]> {
  const collected: CutPart[] = [];
  for await (const part of parts) collected.push(part);
  return collected;
}

async function stories(copies: number): Promise<string[]> {
  const { documents } = await loadTextSet('stories', 'calibration', join(ROOT, 'calib-data'));
  return new Array(copies).fill(documents).flat();
}

it('cuts in a thread what is cut here, for everybody who asks', async () => {
  const documents = await stories(3);
  const parts = startCutting({ documents, tokenizerFolder, options });
  const [one, other] = await Promise.all([collect(parts()), collect(parts())]);
  expect(one.length).toBeGreaterThan(1);
  expect(other).toEqual(one);
  expect(joinParts(await collect(parts()))).toEqual(joinParts(one));
  const here = cutWindows(documents, await loadTokenizer(tokenizerFolder), options);
  expect(joinParts(one)).toEqual(here);
});

it('throws in the parts what the thread threw', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'quern-cut-'));
  const documents = ['Once upon a time'];
  try {
    await expect(collect(startCutting({ documents, tokenizerFolder: empty, options })())).rejects.toMatchObject({
      code: 'TOKENIZER_NOT_FOUND',
      context: { folder: empty },
    });
    await expect(collect(startCutting({ documents, tokenizerFolder, options })())).rejects.toMatchObject({
      code: 'TEXT_TOO_SHORT',
    });
  } finally {
    await rm(empty, { recursive: true });
  }
});

it('stops in the middle of a text when the signal is set', async () => {
  const stop = new AbortController();
  const documents = await stories(200);
  const parts = startCutting({ documents, tokenizerFolder, options }, stop.signal)();
  expect((await parts.next()).done).toBe(false);
  stop.abort();
  await expect(collect(parts)).rejects.toMatchObject({ code: 'INTERRUPTED' });
  await expect(collect(startCutting({ documents: [], tokenizerFolder, options }, stop.signal)())).rejects.toMatchObject(
    {
      code: 'INTERRUPTED',
    },
  );
});
