import type { LinearSite } from '@quern/core';
import { expect, it } from 'vitest';
import type { CurveRun } from '../solve/rateCurves.ts';
import type { SitePlan } from '../solve/sitePlan.ts';
import { recallUnits } from './measureUnits.ts';

const siteOf = (name: string, inputName: string, inFeatures = 64): LinearSite => ({
  ...{ name, block: 0, outFeatures: 64, inFeatures, nodeName: name, weightName: name },
  ...{ inputName, sharedInputGroup: inputName },
});

const at = (site: LinearSite, ratio: number): SitePlan => ({
  site,
  solver: 'dictionary',
  options: { ratio, bits: 16, groupSize: 'channel' },
});

/** A store in which every key has the same curve; how often each was asked for. */
function storeOf() {
  const asked = new Map<string, number>();
  const load = async (key: string) => {
    asked.set(key, (asked.get(key) ?? 0) + 1);
    return [
      { bits: 4, loss: 0.16 },
      { bits: 16, loss: 0.01 },
    ];
  };
  const run = { origin: 'model', results: { load } } as unknown as Pick<CurveRun, 'results' | 'origin'>;
  return { asked, run };
}

it('sites that one solver can take for one weight have a curve together, and a way at each rate that all of them can have', async () => {
  const [q, k, o, down] = [siteOf('q', 'x'), siteOf('k', 'x'), siteOf('o', 'y'), siteOf('down', 'z', 96)];
  const both = (site: LinearSite) => ({ site, plans: [at(site, 0.5), at(site, 0.75)] });
  // A rule leaves it one way.
  const ruled = { site: down, plans: [at(down, 0.75)] };
  const { asked, run } = storeOf();
  const units = await recallUnits(run, [both(q), both(k), both(o), ruled]);
  const ways = units!.map(({ plans, bits, error }) => [
    plans.map(({ site, options }) => `${site.name} ${options.ratio}`).join(),
    bits,
    error,
  ]);
  expect(ways).toEqual([
    ['q 0.5,k 0.5', 8 * 2 * 64 * 64, expect.closeTo(0.16 * (1 / 16) ** (1 / 3), 12)],
    ['q 0.75,k 0.75', 4 * 2 * 64 * 64, expect.closeTo(0.16, 12)],
    ['o 0.75,down 0.75', 4 * (64 * 64 + 64 * 96), expect.closeTo(0.16, 12)],
  ]);
  expect([...asked.values()]).toEqual([1, 1]);
});

it('sites that a solver takes one by one have none', async () => {
  const plan = { site: siteOf('q', 'x'), solver: 'compot', options: { ratio: 0.5 } };
  const { asked, run } = storeOf();
  expect(await recallUnits(run, [{ site: plan.site, plans: [plan] }])).toEqual([]);
  expect(asked.size).toBe(0);
});
