import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';

/** What a figure was measured on. */
export function describeMachine(): string {
  const [cpu] = cpus();
  return `${cpu?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, node ${process.versions.node}`;
}

/** Where benchmarks put what they make; kept between runs. */
export function scratchFolder(name: string): string {
  return join(tmpdir(), 'quern-benchmarks', name);
}

/** Best of several copies of 256 MB: bytes read per second. */
export function measureReadBandwidth(): number {
  const source = new Float64Array(32e6);
  const target = new Float64Array(32e6);
  let best = 0;
  for (let round = 0; round < 5; round++) {
    const started = performance.now();
    target.set(source);
    best = Math.max(best, (1000 * source.byteLength) / (performance.now() - started));
  }
  return best;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
