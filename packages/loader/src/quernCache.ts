import type { OpenSource } from './byteSource.ts';
import type { ClientCache } from './clientCache.ts';
import { openPackedSource, type PackedModel } from './openPackedSource.ts';
import { PackedFileError } from './packedFileError.ts';

export interface QuernCacheOptions {
  /** Opens the packed file of this path or URL; null when there is none. Anything may stand there: it is looked at before it is trusted. */
  readonly find: (packedPath: string) => Promise<OpenSource | null>;
  /** Keeps every other file; null when nothing does. */
  readonly others: ClientCache | null;
}

/** The external data of a graph as clients name it: path of the graph without its ending, number of the file. */
const DATA_FILE = /^(.*[/\\])?([^/\\]+)\.onnx_data(_\d+)?$/;

/**
 * A cache for transformers.js (`env.useCustomCache`, `env.customCache`) that has the data files of packed models: it decodes them
 * when they are asked for, and leaves everything else to `others`.
 *
 * In Node a file is looked for by its path and then read under the URL that it would have on the hub; both give the same bytes.
 * What is wrong with a packed file is thrown where its body is read, because the client takes an error of `match` for a miss.
 */
export function quernCache({ find, others }: QuernCacheOptions): ClientCache {
  const models = new Map<string, Promise<PackedModel | null>>();
  /** Keys that were found, to know them again under their URL. */
  const found = new Set<string>();

  async function open(packedPath: string): Promise<PackedModel | null> {
    const source = await find(packedPath);
    if (!source) return null;
    return openPackedSource(source).catch(error => {
      if (error instanceof PackedFileError && error.code === 'NOT_PACKED') return null;
      throw error;
    });
  }

  /** Opened once; a miss or a failure is tried anew the next time. */
  function modelOf(packedPath: string): Promise<PackedModel | null> {
    const known = models.get(packedPath) ?? open(packedPath);
    models.set(packedPath, known);
    known.then(
      model => model === null && models.delete(packedPath),
      () => models.delete(packedPath),
    );
    return known;
  }

  async function matchPacked(key: string): Promise<Response | undefined> {
    const path = aliasOf(key, found) ?? key;
    const parts = DATA_FILE.exec(path);
    if (!parts) return undefined;
    const [, folder = '', graph, chunk = ''] = parts;
    try {
      const model = await modelOf(`${folder}${graph}.quern`);
      if (!model) return undefined;
      found.add(path);
      // Another file may stand there the next time.
      const forget = (): unknown => models.delete(`${folder}${graph}.quern`);
      return responseOf(model, `${graph}.onnx_data${chunk}`, forget);
    } catch (error) {
      return failingResponse(error);
    }
  }

  return {
    async match(key) {
      return (await matchPacked(key)) ?? (await others?.match(key));
    },
    async put(key, response) {
      await others?.put(key, response);
    },
  };
}

/** The path that was found before and of which `key` is the URL on a hub: `host/<model>/resolve/<revision>/<file>`. */
function aliasOf(key: string, found: ReadonlySet<string>): string | null {
  if (found.has(key) || !/^https?:/.test(key)) return null;
  const path = new URL(key).pathname.replace(/\/resolve\/[^/]+\//, '/').slice(1);
  const decoded = decodeURIComponent(path);
  return [...found].find(candidate => candidate.replaceAll('\\', '/').endsWith(decoded)) ?? null;
}

/** A response whose body is decoded when it is read: in one buffer, or piece by piece. */
function responseOf(model: PackedModel, path: string, onRead: () => void): Response {
  const bytes = model.dataFiles.find(file => file.path === path)?.bytes ?? 0;
  let pieces: AsyncGenerator<Uint8Array> | null = null;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (!pieces) onRead();
        pieces ??= model.streamFile(path);
        const { done, value } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await pieces?.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
  const headers = { 'content-length': String(bytes), 'content-type': 'application/octet-stream' };
  return withBuffer(new Response(body, { headers }), async () => {
    onRead();
    return (await model.decodeFile(path)).buffer;
  });
}

function failingResponse(error: unknown): Response {
  const body = new ReadableStream({ pull: controller => controller.error(error) }, { highWaterMark: 0 });
  return withBuffer(new Response(body), () => Promise.reject(error));
}

/** A response whose `arrayBuffer` does not go through its stream, which would hold everything twice. */
function withBuffer(response: Response, arrayBuffer: () => Promise<ArrayBuffer>): Response {
  return Object.defineProperty(response, 'arrayBuffer', { value: arrayBuffer });
}
