import { type Material, materialContent, materialName, windowsOf } from './material.ts';
import type { PreparedText } from './prepareText.ts';

/** Windows on which a model is measured where none were held out. */
const WINDOWS = 8;

/** No figure that counts bytes or words is asked of such a text. */
const UNKNOWN = { byteCount: 0, byteCounts: new Int32Array(0), wordCounts: new Int32Array(0) };

/** Some windows of what calibrates, evenly spread; null where there are none. */
export function sampleText(material: Material): PreparedText | null {
  const windows = windowsOf(material);
  if (windows.length === 0) return null;
  const count = Math.min(WINDOWS, windows.length);
  const places = Array.from({ length: count }, (_, at) => Math.floor(((at + 0.5) * windows.length) / count));
  const sample = places.map(place => windows[place]!);
  const windowLength = Math.max(...sample.map(({ ids }) => ids.length));
  const data = { id: materialName(material), sha256: materialContent(material).sha256, sources: [] };
  return { data, windows: sample, windowLength, stride: windowLength, ...UNKNOWN };
}
