import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downloadFile } from './downloadFile.ts';
import { type HubSettings, hubSettings } from './hubSettings.ts';
import { type Answer, type Hub, sendFile, serveHub } from './testSupport/serveHub.ts';

const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251));
const sum = createHash('sha256').update(content).digest('hex');

let folder = '';
let hub: Hub | null = null;
let waits: number[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-hub-'));
  waits = [];
});
afterEach(async () => {
  await hub?.close();
  await rm(folder, { recursive: true, force: true });
});

async function serve(answers: Readonly<Record<string, Buffer | Answer>>): Promise<HubSettings> {
  hub = await serveHub(answers);
  const wait = async (milliseconds: number) => {
    waits.push(milliseconds);
  };
  return { ...hubSettings({ HF_ENDPOINT: hub.origin, QUERN_CACHE: folder }), wait };
}

const download = (settings: HubSettings, options = {}) =>
  downloadFile(`${settings.endpoint}/file`, join(folder, 'deep', 'file.bin'), settings, options);
const read = () => readFile(join(folder, 'deep', 'file.bin'));
const names = () => readdir(join(folder, 'deep'));

describe('downloadFile', () => {
  it('gives the bytes, their sum, and leaves nothing else', async () => {
    const settings = await serve({ '/file': content });
    expect(await download(settings, { sha256: sum })).toEqual({ bytes: 300_000, sha256: sum });
    expect((await read()).equals(content)).toBe(true);
    expect(await names()).toEqual(['file.bin']);
  });

  it('goes on where a transfer broke', async () => {
    const settings = await serve({
      '/file': (request, response, count) => sendFile(request, response, content, count < 3 ? 100_000 : undefined),
    });
    expect((await download(settings)).sha256).toBe(sum);
    const starts = hub!.requests.map(request => /bytes=(\d+)-/.exec(request)?.[1] ?? '0').map(Number);
    expect(starts).toEqual([0, 100_000, 200_000]);
  });

  it('goes on where another process stopped', async () => {
    const settings = await serve({
      '/file': (request, response, count) =>
        sendFile(request, response, content, count <= 6 ? (count === 1 ? 70_000 : 0) : undefined),
    });
    await expect(download(settings)).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED', context: { size: 70_000 } });
    expect(await names()).toEqual(['file.bin.partial', 'file.bin.partial.etag']);
    expect((await download(settings)).sha256).toBe(sum);
    expect(hub!.requests.at(-1)).toBe('/file bytes=70000-');
  });

  it('starts again when the file changed meanwhile', async () => {
    const settings = await serve({
      '/file': (request, response, count) =>
        count === 1
          ? sendFile(request, response, Buffer.alloc(300_000, 1), 90_000)
          : sendFile(request, response, content),
    });
    expect((await download(settings)).sha256).toBe(sum);
    expect((await read()).equals(content)).toBe(true);
  });

  it('waits as long as Retry-After says', async () => {
    const settings = await serve({
      '/file': (request, response, count) =>
        count < 3 ? response.writeHead(429, { 'retry-after': '7' }).end() : sendFile(request, response, content),
    });
    expect((await download(settings)).sha256).toBe(sum);
    expect(waits).toEqual([7000, 7000]);
  });

  it('gives up after six answers of 429 or 503, doubling its waits', async () => {
    const settings = await serve({ '/file': (_, response) => response.writeHead(503).end() });
    const failing = download(settings);
    await expect(failing).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
    await expect(failing).rejects.toThrow(/answered 503, 6 times.*HF_ENDPOINT/);
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000]);
  });

  it.each([
    [404, /answered 404. Check the name/],
    [401, /HF_TOKEN/],
  ])('does not ask again after %s', async (status, message) => {
    const settings = await serve({ '/file': (_, response) => response.writeHead(status).end() });
    await expect(download(settings)).rejects.toThrow(message);
    expect(hub!.requests.length).toBe(1);
    expect(await names()).toEqual([]);
  });

  it('removes what has a wrong sum', async () => {
    const settings = await serve({ '/file': content });
    await expect(download(settings, { sha256: '0'.repeat(64) })).rejects.toThrow(/has the sha256 .* must be 000/);
    expect(await names()).toEqual([]);
  });

  it('checks the sum that the hub tells before it redirects, and keeps the token from where that leads', async () => {
    let leaked: string | undefined;
    const other = await serveHub({
      '/storage': (request, response) => {
        leaked = request.headers.authorization;
        sendFile(request, response, content);
      },
    });
    let given: string | undefined;
    const answer: Answer = (request, response) => {
      given = request.headers.authorization;
      response.writeHead(302, { location: `${other.origin}/storage`, 'x-linked-etag': `"${'1'.repeat(64)}"` }).end();
    };
    const settings = { ...(await serve({ '/file': answer })), token: 'hf_abc' };
    await expect(download(settings)).rejects.toThrow(/must be 1111/);
    expect([given, leaked]).toEqual(['Bearer hf_abc', undefined]);
    await other.close();
  });

  it('takes only the beginning where that is asked for', async () => {
    const settings = await serve({ '/file': content });
    expect((await download(settings, { maximumBytes: 1000 })).bytes).toBe(1000);
    expect((await read()).equals(content.subarray(0, 1000))).toBe(true);
    expect(hub!.requests).toEqual(['/file bytes=0-999']);
  });

  it('takes only the beginning of a server without ranges', async () => {
    const settings = await serve({
      '/file': (_, response) => response.writeHead(200, { 'content-length': content.length }).end(content),
    });
    expect((await download(settings, { maximumBytes: 1000 })).bytes).toBe(1000);
  });

  it('asks nobody offline', async () => {
    const settings = { ...(await serve({ '/file': content })), isOffline: true };
    await expect(download(settings)).rejects.toThrow(/not in the cache/);
    expect(hub!.requests).toEqual([]);
  });

  it('does not take a stale beginning without an etag for its own', async () => {
    const settings = await serve({ '/file': content });
    await download(settings);
    await writeFile(join(folder, 'deep', 'file.bin.partial'), 'something else');
    expect((await download(settings)).sha256).toBe(sum);
  });
});
