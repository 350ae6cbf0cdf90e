import { join } from 'node:path';
import { type LinearSite, type QuantizedWeight, reconstruct, storageBits } from '@quern/core';
import { scoreWindows } from '@quern/evaluator';
import { importCheckpoint } from '@quern/importer';
import {
  activationTypeOf,
  createInlineStore,
  findBlockCuts,
  findLinearSites,
  type OnnxModel,
  replaceSite,
} from '@quern/onnx';
import { describe, expect, it } from 'vitest';
import { foldScales, type SolvedSite } from './foldScales.ts';
import { scaleCosts } from './scaleCosts.ts';
import type { SitePlan } from './sitePlan.ts';

const demo = join(import.meta.dirname, '..', '..', '..', '..', 'models', 'demo');
const open = async (): Promise<OnnxModel> => (await importCheckpoint(demo, { dtype: 'fp32' })).model;
const ofBlock = (model: OnnxModel): LinearSite[] => findLinearSites(model).filter(({ block }) => block === 1);
const planOf = (site: LinearSite): SitePlan => ({ site, solver: 'watersic', options: { bits: 3 } });

/** Any codes: the same for both models. Sites of one input get one input scale. */
function weightOf(
  { outFeatures, inFeatures, inputName }: LinearSite,
  seed: number,
  groupSize = inFeatures,
): QuantizedWeight {
  return {
    kind: 'quantized',
    outFeatures,
    inFeatures,
    bits: 8,
    groupSize,
    codes: Uint8Array.from({ length: outFeatures * inFeatures }, (_, at) => 128 + ((at * 7919 + seed * 31) % 15) - 7),
    scales: Float32Array.from({ length: outFeatures * Math.ceil(inFeatures / groupSize) }, (_, at) =>
      Math.f16round(0.004 + 0.0001 * (at % 7)),
    ),
    scaleType: 'float16',
    zeroPoints: null,
    inputScale: Float32Array.from({ length: inFeatures }, (_, at) =>
      Math.f16round(0.5 + ((at + inputName.length) % 9) / 8),
    ),
  };
}

function solvedSites(sites: readonly LinearSite[], groupSize?: number): SolvedSite[] {
  return sites.map((site, seed) => {
    const compressed = weightOf(site, seed, groupSize);
    const result = { compressed, storageBits: storageBits(compressed), relativeOutputError: 0, relativeWeightError: 0 };
    return { plan: planOf(site), finished: { result, durationMs: 0 } };
  });
}

async function place(model: OnnxModel, site: LinearSite, compressed: Parameters<typeof replaceSite>[1]['compressed']) {
  const activationType = activationTypeOf(model, site);
  await replaceSite(model, { site, compressed, accuracyLevel: 0, activationType }, createInlineStore(model.folder));
}

describe('foldScales', () => {
  it.each([
    ['one scale an output', undefined],
    ['groups of 32', 32],
  ])('leaves nothing to do behind a norm or a product, and the logits as they were: %s', async (_, groupSize) => {
    const [plain, folded] = [await open(), await open()];
    for (const { plan, finished } of solvedSites(ofBlock(plain), groupSize)) {
      const { outFeatures, inFeatures } = plan.site;
      const { data } = await reconstruct(finished.result.compressed);
      await place(plain, plan.site, { kind: 'dense', outFeatures, inFeatures, data: data.map(Math.f16round) });
    }
    const request = { model: folded, store: createInlineStore(folded.folder), cuts: findBlockCuts(folded) };
    const sites = await foldScales(request, solvedSites(ofBlock(folded), groupSize));
    for (const { plan, finished } of sites) await place(folded, plan.site, finished.result.compressed);
    const scaled = sites.filter(
      ({ finished: { result } }) => result.compressed.kind === 'quantized' && result.compressed.inputScale,
    );
    // Attention gives the input of o_proj: nothing there takes a scale a channel.
    expect(scaled.map(({ plan }) => plan.site.name)).toEqual(['model.layers.1.attn.o_proj']);
    for (const { finished } of sites) expect(finished.result.storageBits).toBe(storageBits(finished.result.compressed));
    const windows = [{ ids: Int32Array.of(0, 17, 230, 4001, 5, 99, 1200, 3), firstScored: 1 }];
    const divergence = async (variant: OnnxModel) => {
      const { baseline } = await scoreWindows(variant, windows, { device: 'cpu', baseline: plain });
      return baseline!.klDivergence[0]! / 7;
    };
    expect(await divergence(folded)).toBeLessThan(1e-4);
    expect(await divergence(await open())).toBeGreaterThan(0.01);
  });

  it('keeps the scales of readers that disagree, and of an input carried from the block before', async () => {
    const model = await open();
    const solved = solvedSites(ofBlock(model));
    const store = createInlineStore(model.folder);
    const [first, ...rest] = solved;
    const other = { ...(first!.finished.result.compressed as QuantizedWeight) };
    other.inputScale![0] = 3;
    const disagreeing = await foldScales({ model, store, cuts: null }, [first!, ...rest.slice(0, 2)]);
    expect(disagreeing).toEqual([first!, ...rest.slice(0, 2)]);
    const { inputName } = first!.plan.site;
    const carried = [{ block: 1, inputNames: [inputName], outputNames: [] }];
    const attention = solvedSites(ofBlock(model)).slice(0, 3);
    expect(await foldScales({ model, store, cuts: carried }, attention)).toEqual(attention);
    expect(store.added()).toEqual([]);
  });
});

describe('scaleCosts', () => {
  it('charges for the scales that stay, and only entropy-coded plans', async () => {
    const model = await open();
    const plans = ofBlock(model).map(planOf);
    const free = (given: readonly SitePlan[], cuts: Parameters<typeof scaleCosts>[2]): string[] =>
      scaleCosts(model, given, cuts)
        .filter(({ options }) => options.inputScaleBits === 0)
        .map(({ site }) => site.name.replace('model.layers.1.', ''));
    const all = ['attn.q_proj', 'attn.k_proj', 'attn.v_proj', 'mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj'];
    expect(free(plans, findBlockCuts(model))).toEqual(all);
    const carried = [{ block: 1, inputNames: [plans[0]!.site.inputName], outputNames: [] }];
    expect(free(plans, carried)).toEqual(all.slice(3));
    const mixed = plans.map(plan => (/up_proj|q_proj/.test(plan.site.name) ? { ...plan, solver: 'gptq' } : plan));
    expect(free(mixed, null)).toEqual([]);
  });
});
