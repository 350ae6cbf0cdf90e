import { type ByteSource, truncated } from './byteSource.ts';
import { PackedFileError } from './packedFileError.ts';

/** What `fetch` is called with and gives back here. */
export type Fetch = (url: string, init?: { headers?: Record<string, string> }) => Promise<Response>;

/** A body that is being read. */
interface Stream {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  /** Place in the file of the next byte of `rest`. */
  position: number;
  rest: Uint8Array;
}

/**
 * A file behind a URL, read as it arrives: nothing is kept but the bytes that were asked for. A read further on skips what is
 * between, or asks the server for that part of the file where the gap is large.
 *
 * Errors of its reads: UNREADABLE when the server refuses, TRUNCATED.
 */
export function urlSource(url: string, fetch: Fetch): ByteSource {
  let stream: Stream | null = null;

  async function start(offset: number): Promise<Stream> {
    await stop();
    const response = await fetch(url, offset > 0 ? { headers: { range: `bytes=${offset}-` } } : {}).catch(cause => {
      throw new PackedFileError('UNREADABLE', `Cannot fetch ${url}: ${(cause as Error).message}`, { cause });
    });
    if (!response.ok || !response.body) {
      await response.body?.cancel().catch(() => undefined);
      throw new PackedFileError('UNREADABLE', `Cannot fetch ${url}: the server answers ${response.status}.`);
    }
    const reader = response.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    // A server that knows no ranges sends the file from its beginning.
    stream = { reader, position: response.status === 206 ? offset : 0, rest: new Uint8Array() };
    return stream;
  }

  async function stop(): Promise<void> {
    await stream?.reader.cancel().catch(() => undefined);
    stream = null;
  }

  async function arrive(from: Stream, wanted: number): Promise<void> {
    const { done, value } = await from.reader.read().catch(cause => {
      throw new PackedFileError('UNREADABLE', `${url} broke off: ${(cause as Error).message}`, { cause });
    });
    if (done) throw truncated(wanted, from.position);
    from.rest = value;
  }

  function take(from: Stream, count: number): Uint8Array {
    const part = from.rest.subarray(0, count);
    from.rest = from.rest.subarray(count);
    from.position += part.length;
    return part;
  }

  return {
    size: null,
    async read(offset, length) {
      const isAhead = stream !== null && offset >= stream.position && offset - stream.position < SKIP_BYTES;
      const from = stream !== null && isAhead ? stream : await start(offset);
      while (from.position < offset) {
        if (from.rest.length === 0) await arrive(from, offset + length);
        take(from, offset - from.position);
      }
      const target = new Uint8Array(length);
      for (let filled = 0; filled < length; ) {
        if (from.rest.length === 0) await arrive(from, offset + length);
        const part = take(from, length - filled);
        target.set(part, filled);
        filled += part.length;
      }
      return target;
    },
    close: stop,
  };
}

/** Gaps shorter than this are read over rather than asked for anew. */
const SKIP_BYTES = 2 ** 20;
