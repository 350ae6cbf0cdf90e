import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demo, runQuern } from './runQuern.ts';

const COMMIT = 'd'.repeat(40);
const C4 = '/datasets/allenai/c4/resolve/1588ec454efa1a09f29cd18ddd04fe05fc8653a2/en';

let cache = '';
let server: Server;
let requests = 0;
const before = { endpoint: process.env.HF_ENDPOINT, cache: process.env.QUERN_CACHE };

beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'quern-cache-'));
  const stories = await readFile(join(demo, '../../calib-data/stories/evaluation.txt'), 'utf8');
  const documents = stories.split('<|endoftext|>').map(text => JSON.stringify({ text }));
  const files = await readdir(demo);
  server = createServer(async (request, response) => {
    requests++;
    const path = request.url ?? '';
    if (path === '/api/models/quern/demo/revision/main') {
      response.end(JSON.stringify({ sha: COMMIT, siblings: files.map(rfilename => ({ rfilename })) }));
    } else if (path.startsWith(`/quern/demo/resolve/${COMMIT}/`)) {
      const content = await readFile(join(demo, path.split('/').at(-1)!));
      const etag = `"${createHash('sha256').update(content).digest('hex')}"`;
      response.writeHead(200, { 'content-length': content.length, 'x-linked-etag': etag }).end(content);
    } else if (path.startsWith(C4)) response.end(gzipSync(documents.join('\n')));
    else response.writeHead(404).end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  process.env.HF_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.env.QUERN_CACHE = cache;
});
afterAll(async () => {
  for (const [name, value] of [
    ['HF_ENDPOINT', before.endpoint],
    ['QUERN_CACHE', before.cache],
  ] as const) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  await new Promise(resolve => server.close(resolve));
  await rm(cache, { recursive: true, force: true });
});

describe('a model hub', () => {
  it('gives a model by name, once', async () => {
    const write = ['--prompt', 'Once upon a time', '--max-new-tokens', '6', '--device', 'cpu'];
    const named = await runQuern('generate', 'hf:quern/demo', ...write);
    expect(named.stdout).toBe((await runQuern('generate', demo, ...write)).stdout);
    expect(named.stdout.length).toBeGreaterThan(6);
    const count = requests;
    expect((await runQuern('generate', 'hf:quern/demo', ...write, '--offline')).stdout).toBe(named.stdout);
    expect(requests).toBe(count);
  });

  it('gives a set that evaluate and data list know by name', async () => {
    expect((await runQuern('data', 'pull', 'c4', '--offline')).stderr).toMatch(/not in the cache and --offline is set/);
    const pulled = JSON.parse((await runQuern('data', 'pull', 'c4', '--json')).stdout);
    expect(pulled.files.map((file: { path: string }) => file.path)[1]).toBe('en/c4-validation.00000-of-00008.json.gz');
    expect((await runQuern('data', 'list')).stdout).toMatch(/^c4 +evaluation .* 45 +ODC-BY/m);
    const score = async (data: string) =>
      JSON.parse((await runQuern('evaluate', demo, '--data', data, '--device', 'cpu', '--json')).stdout);
    const [own, others] = [await score('stories'), await score('c4')];
    // The same stories from the hub give the same figure.
    expect(others).toMatchObject({ data: 'c4', perplexity: own.perplexity, tokenCount: own.tokenCount });
  });
});
