import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CompressionError } from '@quern/core';
import type { Recipe } from '../recipe.ts';
import { formatBytes } from '../report/formatBytes.ts';
import { planSizes } from '../solve/planSizes.ts';
import type { SitePlan } from '../solve/sitePlan.ts';
import { storedTotals } from '../solve/storedTotals.ts';
import { totalFigure } from '../solve/totalFigure.ts';

/**
 * Refuses a run for which the disk has no room, before any work: what the solved sites take in the file, and, where that is known
 * exactly, as much again for the finished results from which a stopped run goes on. A run needs more than this, by embeddings and
 * hidden states; what runs out later is told then.
 *
 * Errors: WRITE_FAILED with the bytes needed and free.
 */
export async function checkSpace(out: string, plans: readonly SitePlan[], recipe: Recipe): Promise<void> {
  if (plans.length === 0) return;
  const sites = planSizes(plans, recipe);
  const { storedBytes } = storedTotals(plans, sites);
  const needed = storedBytes * (totalFigure(sites) === 'exact' ? 2 : 1);
  const free = await freeBytes(resolve(out));
  if (free === null || needed <= free) return;
  throw new CompressionError(
    'WRITE_FAILED',
    `--out ${out} needs ${formatBytes(needed)} and more while the run lasts, and no space is left there but ${formatBytes(free)}: make room, or name a folder on another disk.`,
    { out, needed, free },
  );
}

/** Of the disk that a folder is on or will be; null where the system does not tell. */
async function freeBytes(folder: string): Promise<number | null> {
  for (let path = folder; ; path = dirname(path)) {
    const disk = await statfs(path).catch(() => null);
    if (disk) return disk.bavail * disk.bsize;
    if (path === dirname(path)) return null;
  }
}
