import type { TokenWindow } from '@quern/core';
import type { Feeds } from '../feeds/openFeeds.ts';
import type { StoredStatistics } from '../statistics/openStatistics.ts';
import type { PreparedText } from './prepareText.ts';
import { textContent } from './textContent.ts';

/** What a model is run on. */
export type RunnableMaterial =
  | { readonly kind: 'text'; readonly text: PreparedText }
  | { readonly kind: 'feeds'; readonly feeds: Feeds };

/** What a model is calibrated on: something to run it on, or what such runs gave before. */
export type Material = RunnableMaterial | { readonly kind: 'statistics'; readonly statistics: StoredStatistics };

/** The windows of a material's texts, none for feeds. */
export function windowsOf(material: Material): readonly TokenWindow[] {
  if (material.kind === 'text') return material.text.windows;
  return material.kind === 'feeds' ? [] : material.statistics.windows;
}

/** Windows of a text, or samples of feeds. */
export function materialCount(material: Material): number {
  if (material.kind === 'text') return material.text.windows.length;
  if (material.kind === 'feeds') return material.feeds.count;
  return material.statistics.captures.reduce((sum, { manifest }) => sum + manifest.calibration.count, 0);
}

/** Everything of a material that can change a figure, as JSON. */
export function materialContent(material: Material) {
  if (material.kind === 'text') return textContent(material.text);
  if (material.kind === 'feeds') return { sha256: material.feeds.sha256, sampleCount: material.feeds.count };
  return { sha256: material.statistics.sha256 };
}

/** What a material is called: the text's or the folder's name, those of captures joined. */
export function materialName(material: Material): string {
  if (material.kind === 'text') return material.text.data.id;
  if (material.kind === 'feeds') return material.feeds.id;
  return material.statistics.captures.map(({ manifest }) => manifest.calibration.id).join(' + ');
}
