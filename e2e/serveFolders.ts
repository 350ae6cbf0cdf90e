import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

export interface FolderServer {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** Paths that were asked for, in order. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.ts': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/**
 * Serves folders by the first part of the path, with ranges; TypeScript goes out as JavaScript. An empty path gives an empty page.
 * The first path of `hub/<model>/resolve/main/<file>` is read as `<model>/<file>`, as on a model hub.
 */
export async function serveFolders(folders: Readonly<Record<string, string>>): Promise<FolderServer> {
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    requests.push(path);
    if (path === '/') {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>page</title>');
      return;
    }
    const [, name = '', rest = ''] = /^\/([^/]+)\/(.*)$/.exec(path) ?? [];
    const folder = folders[name];
    const file = folder && join(folder, normalize(rest.replace('/resolve/main/', '/')));
    if (!file?.startsWith(folder) || !(await stat(file).catch(() => null))?.isFile()) {
      response.writeHead(404).end();
      return;
    }
    const content = await readFile(file);
    const body = extname(file) === '.ts' ? Buffer.from(stripTypeScriptTypes(content.toString())) : content;
    const type = CONTENT_TYPES[extname(file)] ?? 'application/octet-stream';
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? Number.NaN);
    if (Number.isNaN(start)) {
      response.writeHead(200, { 'content-type': type, 'content-length': body.length }).end(body);
      return;
    }
    const range = `bytes ${start}-${body.length - 1}/${body.length}`;
    response.writeHead(206, { 'content-type': type, 'content-range': range }).end(body.subarray(start));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
