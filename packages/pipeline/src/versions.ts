import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export interface Versions {
  readonly quern: string;
  readonly node: string;
  readonly onnxruntime: string;
}

/** Versions that decide what bytes come out. */
export function versions(): Versions {
  const own = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as { version: string };
  const resolve = createRequire(createRequire(import.meta.url).resolve('@quern/runtime'));
  const runtime = resolve('onnxruntime-node/package.json') as { version: string };
  return { quern: own.version, node: process.versions.node, onnxruntime: runtime.version };
}
