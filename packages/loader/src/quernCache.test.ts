import { expect, it } from 'vitest';
import { memorySource } from './byteSource.ts';
import type { ClientCache } from './clientCache.ts';
import { quernCache } from './quernCache.ts';
import { handMadeFile, rawTensor } from './testing/handMadeFile.ts';

const content = Uint8Array.from({ length: 300 }, (_, index) => index);
const file = handMadeFile([{ path: 'model_q4.onnx_data', bytes: 300, tensors: [rawTensor(content)] }]);

/** A cache over these files, and the paths that it looked for. */
function cacheOver(files: Readonly<Record<string, Uint8Array>>, others: ClientCache | null = null) {
  const looked: string[] = [];
  const cache = quernCache({
    others,
    async find(path) {
      looked.push(path);
      const found = files[path];
      return found ? async () => memorySource(found) : null;
    },
  });
  return { cache, looked };
}

const bodyOf = async (response: Response | string | undefined): Promise<Uint8Array> =>
  new Uint8Array(await (response as Response).arrayBuffer());

it('has the data files of packed models, with their size, in one buffer and as a stream', async () => {
  const { cache, looked } = cacheOver({ '/models/a/onnx/model_q4.quern': file });
  const key = '/models/a/onnx/model_q4.onnx_data';
  const response = (await cache.match(key)) as Response;
  expect(response.headers.get('content-length')).toBe('300');
  expect(await bodyOf(response)).toEqual(content);
  const pieces: number[] = [];
  const stream = ((await cache.match(key)) as Response).body as ReadableStream<Uint8Array>;
  for await (const piece of stream) pieces.push(...piece);
  expect(pieces).toEqual([...content]);
  // Once for each time that the file was read, not for each time that it was asked for.
  await cache.match(key);
  await cache.match(key);
  expect(looked).toEqual(Array(3).fill('/models/a/onnx/model_q4.quern'));
});

it.each([
  ['/data/a/onnx/model_q4.onnx_data', 'https://hub.example/data/a/resolve/main/onnx/model_q4.onnx_data'],
  ['C:\\data\\a/onnx/model_q4.onnx_data', 'https://hub.example/data/a/resolve/main/onnx/model_q4.onnx_data'],
  ['./a b/onnx/model_q4.onnx_data', 'https://hub.example/a%20b/resolve/main/onnx/model_q4.onnx_data'],
  ['/lib/models/org/a/onnx/model_q4.onnx_data', 'https://hub.example/org/a/resolve/v1/onnx/model_q4.onnx_data'],
])('knows %s again under the URL that it would have on a hub', async (key, url) => {
  const { cache, looked } = cacheOver({ [key.replace('.onnx_data', '.quern')]: file });
  expect(await cache.match(key)).toBeInstanceOf(Response);
  expect(await bodyOf(await cache.match(url))).toEqual(content);
  expect(looked).toHaveLength(1);
});

it('leaves other files, and models that are not packed, to the cache behind it', async () => {
  const kept: string[] = [];
  const others: ClientCache = {
    match: async key => (key.endsWith('.json') || key.endsWith('plain.onnx_data') ? `kept ${key}` : undefined),
    put: async key => void kept.push(key),
  };
  const page = new TextEncoder().encode('<!doctype html><title>a page that stands for every path</title>');
  const { cache, looked } = cacheOver({ '/a/page.quern': page }, others);
  expect(await cache.match('/a/config.json')).toBe('kept /a/config.json');
  expect(await cache.match('/a/plain.onnx_data')).toBe('kept /a/plain.onnx_data');
  expect(await cache.match('/a/page.onnx_data')).toBeUndefined();
  expect(await cache.match('/a/model.onnx')).toBeUndefined();
  expect(looked).toEqual(['/a/plain.quern', '/a/page.quern']);
  await cache.put('/a/config.json', new Response());
  expect(kept).toEqual(['/a/config.json']);
});

it('tells what is wrong with a packed file where its body is read, since clients take a failed match for a miss', async () => {
  const broken = file.slice();
  broken[20]! ^= 1;
  const { cache } = cacheOver({ '/a/model_q4.quern': broken });
  const response = await cache.match('/a/model_q4.onnx_data');
  await expect(bodyOf(response)).rejects.toMatchObject({ code: 'CORRUPT_INDEX' });
  const reader = ((await cache.match('/a/model_q4.onnx_data')) as Response).body!.getReader();
  await expect(reader.read()).rejects.toMatchObject({ code: 'CORRUPT_INDEX' });
  const damaged = file.slice();
  damaged[damaged.length - 1]! ^= 1;
  const { cache: second } = cacheOver({ '/a/model_q4.quern': damaged });
  await expect(bodyOf(await second.match('/a/model_q4.onnx_data'))).rejects.toMatchObject({ code: 'CORRUPT_TENSOR' });
});
