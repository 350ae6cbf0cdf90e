import type { Feeds } from '../feeds/openFeeds.ts';
import type { PreparedText } from './prepareText.ts';
import { textContent } from './textContent.ts';

/** What a model is calibrated or measured on. */
export type Material =
  | { readonly kind: 'text'; readonly text: PreparedText }
  | { readonly kind: 'feeds'; readonly feeds: Feeds };

/** Windows of a text, or samples of feeds. */
export function materialCount(material: Material): number {
  return material.kind === 'text' ? material.text.windows.length : material.feeds.count;
}

/** Everything of a material that can change a figure, as JSON. */
export function materialContent(material: Material) {
  if (material.kind === 'text') return textContent(material.text);
  return { sha256: material.feeds.sha256, sampleCount: material.feeds.count };
}
