import { basename } from 'node:path';
import type { Device } from '@quern/runtime';
import type { CompressRequest } from '../compressRequest.ts';
import { type Material, materialContent, materialCount, materialName, windowsOf } from '../open/material.ts';
import type { OpenedModel } from '../open/openModel.ts';
import type { PreparedText } from '../open/prepareText.ts';
import type { Comparison, ComparisonRow } from '../report/comparison.ts';
import type { SitePlan } from '../solve/sitePlan.ts';
import { versions } from '../versions.ts';
import { adjustRows } from './adjustRows.ts';

/** What a comparison was made of. */
export interface Comparing {
  readonly request: CompressRequest;
  readonly opened: OpenedModel;
  readonly sources: readonly string[];
  /** Every site that a row could solve. */
  readonly plans: readonly SitePlan[];
  readonly calibration: Material | null;
  readonly text: PreparedText | null;
  readonly device: Device;
  readonly fallbackReason: string | null;
  readonly key: string;
  readonly originalPerplexity: number | null;
}

/** Rows in the order of what they store, with all that is needed to make them again. */
export function describeComparison(comparing: Comparing, rows: readonly ComparisonRow[]): Comparison {
  const { request, opened, sources, plans, calibration, text, device, fallbackReason, key, originalPerplexity } =
    comparing;
  const { headBits, accuracyLevel, dtype, seed, exclude, allocation, rules } = request.recipe;
  const elementCount = plans.reduce((sum, { site }) => sum + site.outFeatures * site.inFeatures, 0);
  return {
    version: versions().quern,
    model: { path: basename(opened.path), sha256: sources, elementCount },
    original: { perplexity: originalPerplexity, bytes: 2 * elementCount },
    evaluation: text && {
      data: text.data.id,
      windowLength: text.windowLength,
      stride: text.stride,
      tokenCount: text.windows.reduce((sum, { ids, firstScored }) => sum + ids.length - firstScored, 0),
    },
    calibration: calibration && {
      data: materialName(calibration),
      windows: materialCount(calibration),
      windowLength: windowsOf(calibration)[0]?.ids.length ?? 0,
      sha256: calibration.kind === 'text' ? calibration.text.data.sha256 : materialContent(calibration).sha256,
    },
    settings: {
      device: fallbackReason === null ? device : `${device}: ${fallbackReason}`,
      headBits,
      accuracyLevel,
      dtype,
      seed,
      exclude,
      ...(allocation ? { allocation } : {}),
      ...(rules.length > 0 ? { rules } : {}),
      key,
    },
    rows: adjustRows(rows).toSorted(
      (left, right) => left.storedBytes - right.storedBytes || left.solveMs - right.solveMs,
    ),
  };
}
