import { readOnnxModel, withAccuracyLevel } from '@quern/onnx';
import type { CompressResult, OutputReport } from './compressRequest.ts';
import { shippedAccuracyLevel } from './evaluateModel.ts';
import { compareOutputs } from './feeds/compareOutputs.ts';
import type { Feeds } from './feeds/openFeeds.ts';
import type { RunnableMaterial } from './open/material.ts';
import { openModel } from './open/openModel.ts';
import type { CompressRun } from './run.ts';
import { scoreBefore, scoreWritten } from './scoreRun.ts';

/** What a run measures of the graph that it has written. */
export type Measure = (graph: string) => Promise<Pick<CompressResult, 'perplexity' | 'outputs'>>;

/**
 * Measures the original, as far as that must happen before its graph is rewritten, and returns what measures the result:
 * perplexity on text, the distance of the outputs on feeds, nothing without material.
 */
export async function startMeasuring(run: CompressRun, material: RunnableMaterial | null): Promise<Measure> {
  if (material === null) return async () => ({ perplexity: null, outputs: null });
  if (material.kind === 'feeds') {
    return async graph => ({ perplexity: null, outputs: await compareWritten(run, material.feeds, graph) });
  }
  const { text } = material;
  const before = await scoreBefore(run, text);
  return async graph => ({ perplexity: await scoreWritten(run, text, before, graph), outputs: null });
}

/** Compares the outputs of the file that was written with those of the source, which is opened anew. */
async function compareWritten(run: CompressRun, feeds: Feeds, graph: string): Promise<OutputReport[]> {
  const { request, device, emit, signal } = run;
  const original = await openModel(request.model, { tokenizer: request.tokenizer });
  const written = await readOnnxModel(graph);
  const stage = 'evaluate result' as const;
  emit({ kind: 'stage', stage, detail: `${feeds.count} samples, ${feeds.id}` });
  const options = {
    device,
    ...(request.threads === undefined ? {} : { threads: request.threads }),
    ...(signal ? { signal } : {}),
    onProgress: (done: number, total: number) => emit({ kind: 'progress', stage, done, total, unit: 'samples' }),
  };
  const shipped = await compareOutputs(original.model, written, feeds, options);
  const isExact = (shippedAccuracyLevel(written) ?? 0) === 0;
  const exact = isExact ? shipped : await compareOutputs(original.model, withAccuracyLevel(written, 0), feeds, options);
  return shipped.map(({ name, relativeDifference }, index) => ({
    name,
    relativeDifference,
    exact: exact[index]!.relativeDifference,
  }));
}
