import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Violation } from './violation.ts';

interface ListedFile {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

interface Manifest {
  readonly files?: readonly ListedFile[];
  readonly parts?: Readonly<Record<string, ListedFile>>;
}

/** Every file that a `manifest.json` of a model or a text set lists is there with its size and sha256 sum. */
export function checkManifests(root: string): Violation[] {
  return ['models', 'calib-data'].flatMap(group => {
    const names = existsSync(join(root, group)) ? readdirSync(join(root, group)) : [];
    return names.flatMap(name => checkManifest(root, `${group}/${name}`));
  });
}

function checkManifest(root: string, folder: string): Violation[] {
  const path = `${folder}/manifest.json`;
  if (!existsSync(join(root, path))) return [];
  const manifest = JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest;
  const listed = [...(manifest.files ?? []), ...Object.values(manifest.parts ?? {})];
  if (listed.length === 0) return [{ rule: 'manifest', path, message: 'lists no files' }];
  return listed.flatMap(entry => {
    const message = faultOf(join(root, folder), entry);
    return message === null ? [] : [{ rule: 'manifest', path, message: `${entry.file} ${message}` }];
  });
}

function faultOf(folder: string, entry: ListedFile): string | null {
  const path = join(folder, entry.file);
  if (!existsSync(path)) return 'is not there';
  const content = readFileSync(path);
  if (content.length !== entry.bytes) return `has ${content.length} bytes, listed are ${entry.bytes}`;
  const sum = createHash('sha256').update(content).digest('hex');
  return sum === entry.sha256 ? null : `has the sha256 sum ${sum}, listed is ${entry.sha256}`;
}
