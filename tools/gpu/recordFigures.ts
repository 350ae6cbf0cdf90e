import { describeGpus } from '@quern/runtime';
import type { FoundGpu } from './findGpu.ts';

/** Prints what a test measured on a real adapter, with the adapter's name. */
export async function recordFigures(gpu: FoundGpu | null, what: string, figures: unknown): Promise<void> {
  if (gpu?.kind !== 'hardware') return;
  const name = (await describeGpus()).join('; ') || 'an adapter without a name';
  process.stderr.write(`[${name}] ${what}: ${JSON.stringify(figures)}\n`);
}
