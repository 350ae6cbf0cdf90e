import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a path of the hub does with the n-th request for it, counted from 1. */
export type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

export interface Hub {
  readonly origin: string;
  /** Requests so far, as `path range`. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** A model hub on this machine: files with ranges and etags, and whatever else `answers` does. */
export async function serveHub(answers: Readonly<Record<string, Buffer | Answer>>): Promise<Hub> {
  const requests: string[] = [];
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '/');
    requests.push(`${path} ${request.headers.range ?? ''}`.trim());
    const count = (counts.get(path) ?? 0) + 1;
    counts.set(path, count);
    const answer = answers[path];
    if (!answer) response.writeHead(404).end();
    else if (Buffer.isBuffer(answer)) sendFile(request, response, answer);
    else answer(request, response, count);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

const BREAK_AFTER_MS = 150;

/** Sends a file, or the range of it that is asked for; only `sentBytes` of that before the connection breaks. */
export function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer,
  sentBytes?: number,
): void {
  const etag = `"${createHash('sha256').update(content).digest('hex').slice(0, 32)}"`;
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const changed = request.headers['if-range'] !== undefined && request.headers['if-range'] !== etag;
  const first = range && !changed ? Number(range[1]) : 0;
  const last = range && !changed && range[2] ? Math.min(Number(range[2]), content.length - 1) : content.length - 1;
  if (range && !changed && first >= content.length) {
    response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    return;
  }
  const body = content.subarray(first, last + 1);
  const headers = { etag, 'content-length': body.length };
  if (range && !changed)
    response.writeHead(206, { ...headers, 'content-range': `bytes ${first}-${last}/${content.length}` });
  else response.writeHead(200, headers);
  if (sentBytes === undefined || sentBytes >= body.length) response.end(body);
  // The client must have read what was sent: a connection that is reset drops what is under way.
  else response.write(body.subarray(0, sentBytes), () => setTimeout(() => response.destroy(), BREAK_AFTER_MS));
}
