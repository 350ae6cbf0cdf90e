import { type QuantizedWeight, storageBits } from '@quern/core';
import { type BlockCut, foldInputScale, type OnnxModel, scaleProducer, type WeightStore } from '@quern/onnx';
import type { FinishedJob } from './runJobs.ts';
import { type SitePlan, solverOf } from './sitePlan.ts';

/** A site with its result, not yet in the graph. */
export interface SolvedSite {
  readonly plan: SitePlan;
  readonly finished: FinishedJob;
}

export interface FoldPlace {
  readonly model: OnnxModel;
  readonly store: WeightStore;
  readonly cuts: readonly BlockCut[] | null;
}

/**
 * Moves input scales of the sites of one block into what gives the input: the norm before them, or the scales of the weight
 * whose product they read. What cannot be moved stays with its site and is written as one Mul; so does the scale of what
 * is carried from block to block, which calibration has computed before. Changes norms in the graph.
 */
export async function foldScales(
  { model, store, cuts }: FoldPlace,
  solved: readonly SolvedSite[],
): Promise<SolvedSite[]> {
  const current = new Map(solved.map(one => [one.plan.site.nodeName, one]));
  const put = ({ plan, finished }: SolvedSite, compressed: QuantizedWeight): void => {
    const result = { ...finished.result, compressed, storageBits: storageBits(compressed) };
    current.set(plan.site.nodeName, { plan, finished: { ...finished, result } });
  };
  const carried = new Set(cuts?.flatMap(cut => cut.inputNames));
  for (const [input, readers] of Map.groupBy(solved, one => one.plan.site.inputName)) {
    if (carried.has(input)) continue;
    const scale = commonScale(readers);
    if (scale === null) continue;
    const { site } = readers[0]!.plan;
    const sites = readers.map(({ plan }) => plan.site);
    let folded = await foldInputScale(model, sites, scale, store);
    const source = readers.length === 1 && !folded ? scaleProducer(model, site) : null;
    const producer = source && current.get(source.nodeName);
    const scaled =
      producer && solverOf(producer.plan).scalesInput
        ? withOutputScale(producer.finished.result.compressed, scale, source.firstOutput)
        : null;
    if (producer && scaled) {
      put(producer, scaled);
      folded = true;
    }
    if (!folded) continue;
    for (const { plan } of readers) {
      const own = current.get(plan.site.nodeName)!;
      const { inputScale: _, ...rest } = own.finished.result.compressed as QuantizedWeight;
      put(own, rest);
    }
  }
  return solved.map(({ plan }) => current.get(plan.site.nodeName)!);
}

/** The input scale of sites that read the same input; null when they do not all have the same. */
function commonScale(readers: readonly SolvedSite[]): Float32Array | null {
  const scales = readers.map(({ finished: { result } }) =>
    result.compressed.kind === 'quantized' ? result.compressed.inputScale : undefined,
  );
  const [first] = scales;
  if (!first) return null;
  const alike = scales.every(
    other => other?.length === first.length && other.every((value, at) => value === first[at]),
  );
  return alike ? first : null;
}

/** A weight whose outputs from `first` on are multiplied by `scale`; null when its scales cannot take them. */
function withOutputScale(
  compressed: FinishedJob['result']['compressed'],
  scale: Float32Array,
  first: number,
): QuantizedWeight | null {
  if (compressed.kind !== 'quantized') return null;
  const round = compressed.scaleType === 'float16' ? Math.f16round : Math.fround;
  const groupCount = compressed.scales.length / compressed.outFeatures;
  const scales = compressed.scales.map((value, at) => round(value * (scale[Math.floor(at / groupCount) - first] ?? 1)));
  return scales.every(value => Number.isFinite(value) && Math.abs(value) >= 2 ** -14)
    ? { ...compressed, scales }
    : null;
}
