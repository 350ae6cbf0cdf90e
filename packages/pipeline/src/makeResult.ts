import { stat } from 'node:fs/promises';
import type { CompressResult, StorageReport } from './compressRequest.ts';
import type { RunnableMaterial } from './open/material.ts';
import type { OpenedModel } from './open/openModel.ts';
import { packResult } from './output/packed/packResult.ts';
import { type WrittenResult, writeResult } from './output/writeResult.ts';
import type { CompressRun } from './run.ts';
import type { SitePlan } from './solve/sitePlan.ts';
import { storedTotals } from './solve/storedTotals.ts';
import { startMeasuring } from './startMeasuring.ts';

/** What stands in the staging folder, and what it measures. */
export type MadeResult = Pick<CompressResult, 'storage' | 'sites' | 'embeddings' | 'perplexity' | 'outputs'>;

/**
 * Solves what the run plans, writes it into the staging folder and measures the files. The run's model is rewritten. `inspect` is given
 * the path of the written graph before its data is packed.
 */
export async function makeResult(
  run: CompressRun,
  evaluation: RunnableMaterial | null,
  inspect: (graph: string) => Promise<void> = async () => undefined,
): Promise<MadeResult> {
  const measure = await startMeasuring(run, evaluation);
  const written = await writeResult(run);
  const { perplexity, outputs } = await measure(written.graph);
  await inspect(written.graph);
  const stored = await packResult(run, written);
  const { sites, embeddings } = stored;
  return { storage: await measureStorage(run.opened, run.plans, stored), sites, embeddings, perplexity, outputs };
}

async function measureStorage(
  opened: OpenedModel,
  plans: readonly SitePlan[],
  written: WrittenResult,
): Promise<StorageReport> {
  const original = await Promise.all(opened.files.map(async path => (await stat(path)).size));
  const graphBytes = (await stat(written.graph)).size;
  const { storedBytes, bitsPerWeight } = storedTotals(plans, written.sites);
  const storage = {
    originalBytes: original.reduce((sum, bytes) => sum + bytes, 0),
    compressedBytes: written.dataFiles.reduce((sum, file) => sum + file.bytes, graphBytes),
    storedBytes,
    bitsPerWeight,
  };
  if (written.containerBytes === null) return storage;
  const unpacked = written.sites.map(({ name, packed, storageBits }) => ({
    name,
    storageBits: packed?.containerBits ?? storageBits,
  }));
  const totals = storedTotals(plans, unpacked);
  return {
    ...storage,
    container: {
      compressedBytes: graphBytes + written.containerBytes,
      storedBytes: totals.storedBytes,
      bitsPerWeight: totals.bitsPerWeight,
    },
  };
}
