import { expect, it } from 'vitest';
import { openPacked } from './openPacked.ts';
import { handMadeFile, rawTensor } from './testing/handMadeFile.ts';
import { type Fetch, urlSource } from './urlSource.ts';

const content = Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * 7) >> 3);

/** A server that sends small chunks and, where it knows ranges, parts of the file. */
function server(file: Uint8Array, knowsRanges: boolean): { fetch: Fetch; requests: string[] } {
  const requests: string[] = [];
  const fetch: Fetch = async (_, init) => {
    const range = init?.headers?.range ?? '';
    requests.push(range);
    const start = knowsRanges ? Number(/\d+/.exec(range)?.[0] ?? 0) : 0;
    let at = start;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= file.length) return controller.close();
        controller.enqueue(file.slice(at, at + 1000));
        at += 1000;
      },
    });
    return new Response(body, { status: start > 0 ? 206 : 200 });
  };
  return { fetch, requests };
}

it.each([true, false])('reads on, over gaps and back (server with ranges: %s)', async knowsRanges => {
  const { fetch, requests } = server(content, knowsRanges);
  const source = urlSource('http://server/file', fetch);
  for (const [offset, length] of [
    [0, 16],
    [16, 2500],
    [9000, 1],
    [2_500_000, 3000],
    [5, 10],
    [2_999_990, 10],
  ] as const) {
    expect(await source.read(offset, length)).toEqual(content.slice(offset, offset + length));
  }
  await source.close();
  expect(requests).toEqual(['', 'bytes=2500000-', 'bytes=5-', 'bytes=2999990-']);
  await expect(source.read(2_999_995, 10)).rejects.toMatchObject({ code: 'TRUNCATED' });
});

it('asks once for a model with one data file, and again for each further one', async () => {
  const tensors = [rawTensor(content.slice(0, 5000)), rawTensor(content.slice(5000, 9000))];
  const file = handMadeFile([{ path: 'd', bytes: 9000, tensors }]);
  const { fetch, requests } = server(file, true);
  const packed = await openPacked('http://server/file.quern', { fetch });
  expect(await packed.decodeFile('d')).toEqual(content.slice(0, 9000));
  expect(requests).toEqual(['']);
  expect(await packed.decodeFile('d')).toEqual(content.slice(0, 9000));
  expect(requests).toHaveLength(2);
});

it('says what a server answers', async () => {
  const missing = urlSource('http://server/file', async () => new Response('', { status: 404 }));
  await expect(missing.read(0, 1)).rejects.toMatchObject({
    code: 'UNREADABLE',
    message: expect.stringContaining('404'),
  });
  const down = urlSource('http://server/file', () => Promise.reject(new TypeError('fetch failed')));
  await expect(down.read(0, 1)).rejects.toMatchObject({ code: 'UNREADABLE' });
});
