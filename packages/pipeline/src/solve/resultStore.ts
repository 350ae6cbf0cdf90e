import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';

/** Finished work by the hash of what it was made from. */
export interface ResultStore {
  /** Null when the result is not there, or its file is damaged. The key must tell what type the result has. */
  load<Result>(key: string): Promise<Result | null>;
  save(key: string, result: unknown): Promise<void>;
  /** Results in the store. */
  count(): Promise<number>;
}

const DIGEST_BYTES = 32;
const PARTIAL = '.partial';

/** A folder with one file a result: sha256 of the payload, then the payload. A file appears complete or not at all. */
export async function openResultStore(folder: string): Promise<ResultStore> {
  await mkdir(folder, { recursive: true });
  return {
    async load<Result>(key: string) {
      const bytes = await readFile(join(folder, key)).catch(() => null);
      if (!bytes || bytes.length < DIGEST_BYTES) return null;
      const payload = bytes.subarray(DIGEST_BYTES);
      if (!digest(payload).equals(bytes.subarray(0, DIGEST_BYTES))) return null;
      return deserialize(payload) as Result;
    },
    async save(key, result) {
      const payload = serialize(result);
      const temporary = join(folder, `${key}${PARTIAL}`);
      await writeFile(temporary, Buffer.concat([digest(payload), payload]));
      await rename(temporary, join(folder, key));
    },
    async count() {
      return (await readdir(folder)).filter(name => !name.endsWith(PARTIAL)).length;
    },
  };
}

function digest(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
