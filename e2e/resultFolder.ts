import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

const RUN = '.quern-run';

/** Everything that stands under a final name in an output folder, with sizes; the run in progress is left out. */
export function listResult(folder: string): Map<string, number> {
  const found = new Map<string, number>();
  const visit = (current: string): void => {
    for (const entry of entriesOf(current)) {
      const path = join(current, entry.name);
      if (entry.name === RUN) continue;
      if (entry.isDirectory()) visit(path);
      else found.set(relative(folder, path), statSync(path).size);
    }
  };
  visit(folder);
  return found;
}

/** sha256 of every file of a result. Of quern.json everything counts but what a clock said. */
export function hashResult(folder: string): Record<string, string> {
  const hashes: Record<string, string> = {};
  for (const name of [...listResult(folder).keys()].sort()) {
    const bytes = readFileSync(join(folder, name));
    const content = name === 'quern.json' ? withoutDurations(bytes.toString()) : bytes;
    hashes[name] = createHash('sha256').update(content).digest('hex');
  }
  return hashes;
}

/** Finished jobs of the run in an output folder, with the time each was written. */
export function listJobs(folder: string): Map<string, number> {
  const results = join(folder, RUN, 'results');
  const jobs = new Map<string, number>();
  for (const { name } of entriesOf(results)) {
    const time = name.endsWith('.partial')
      ? undefined
      : statSync(join(results, name), { throwIfNoEntry: false })?.mtimeMs;
    if (time !== undefined) jobs.set(name, time);
  }
  return jobs;
}

export function isStaged(folder: string, name: string): boolean {
  return statSync(join(folder, RUN, 'output', name), { throwIfNoEntry: false }) !== undefined;
}

function withoutDurations(text: string): string {
  return JSON.stringify(JSON.parse(text), (key, value: unknown) => (key === 'durationMs' ? undefined : value));
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
