import type { LinearSite } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { candidateTable } from './candidateTable.ts';
import type { MeasuredSite } from './measureSites.ts';
import type { MeasuredUnit } from './measureUnits.ts';

const siteOf = (name: string, inputName: string): LinearSite => ({
  ...{ name, block: 0, outFeatures: 64, inFeatures: 64, nodeName: name, weightName: name },
  ...{ inputName, sharedInputGroup: inputName },
});

/** A site whose ways are [method, bits, error]; it loses as much as its error, `weight` times. */
function measured(
  name: string,
  inputName: string,
  weight: number,
  ways: readonly (readonly [string, number, number])[],
): MeasuredSite {
  const site = siteOf(name, inputName);
  const candidates = ways.map(([solver, bits, error]) => ({ plan: { site, solver, options: { bits } }, bits, error }));
  return { candidates, losses: [{ error: 1, loss: weight }] };
}

const methodsOf = (plans: readonly { solver: string; options: object }[] | undefined) =>
  plans?.map(({ solver, options }) => `${solver}:${(options as { bits: number }).bits}`);

it('gives the bits to the site whose error costs the model more', () => {
  const ways = [
    ['gptq', 2, 0.1],
    ['gptq', 4, 0.01],
  ] as const;
  const table = candidateTable([measured('a', 'x', 1, ways), measured('b', 'x', 5, ways)]);
  expect([table.leastBits, table.mostBits]).toEqual([4, 8]);
  expect(methodsOf(table.within(6)?.plans)).toEqual(['gptq:2', 'gptq:4']);
  expect(table.within(6)!.loss).toBeCloseTo(0.1 + 0.05, 12);
  expect(methodsOf(table.under(0.061)?.plans)).toEqual(['gptq:4', 'gptq:4']);
  expect(table.within(3.9)).toBeNull();
});

it('knows the best way that all sites can have, and leaves those alone that a rule binds', () => {
  const ways = [
    ['gptq', 2, 0.1],
    ['gptq', 4, 0.01],
  ] as const;
  const bound = measured('c', 'x', 1, [['rtn', 8, 0]]);
  const table = candidateTable([measured('a', 'x', 1, ways), measured('b', 'x', 5, ways), bound]);
  expect(table.uniformWithin(11.9)).toBeNull();
  expect(methodsOf(table.uniformWithin(15.9)!.plans)).toEqual(['gptq:2', 'gptq:2', 'rtn:8']);
  expect(table.uniformWithin(15.9)).toMatchObject({ bits: 12, loss: expect.closeTo(0.6, 12) });
  expect(candidateTable([bound, measured('a', 'x', 1, ways)]).uniformWithin(11)!.free).toMatchObject({
    ...{ solver: 'gptq', options: { bits: 2 } },
  });
  expect(methodsOf(table.uniformWithin(16)!.plans)).toEqual(['gptq:4', 'gptq:4', 'rtn:8']);
  const others = measured('d', 'x', 1, [
    ['rtn', 2, 0.1],
    ['rtn', 3, 0.1],
  ]);
  expect(candidateTable([measured('a', 'x', 1, ways), others]).uniformWithin(99)).toBeNull();
});

it('lets sites that read one input share an input scale all together or not at all', () => {
  // Each alone would take another method; both of one method are best with watersic.
  const first = [
    ['gptq', 4, 0.01],
    ['watersic', 4, 0.02],
  ] as const;
  const second = [
    ['gptq', 4, 0.09],
    ['watersic', 4, 0.03],
  ] as const;
  const mixed = (inputs: readonly [string, string]) =>
    methodsOf(
      candidateTable([measured('a', inputs[0], 1, first), measured('b', inputs[1], 1, second)]).within(8)?.plans,
    );
  expect(mixed(['x', 'y'])).toEqual(['gptq:4', 'watersic:4']);
  expect(mixed(['x', 'x'])).toEqual(['watersic:4', 'watersic:4']);
});

describe('sites that can be one weight', () => {
  const ways = (first: number, second: number) =>
    [
      ['dictionary', 4, first],
      ['dictionary', 8, second],
    ] as const;
  /** All of them at these bits each, with the mean of their errors. */
  const unitOf = (sites: readonly MeasuredSite[], bits: number, error: number): MeasuredUnit => {
    const plans = sites.map(
      ({ candidates }) =>
        candidates.find(({ plan }) => plan.solver === 'dictionary' && (plan.options as { bits: number }).bits === bits)!
          .plan,
    );
    return { plans, bits: bits * plans.length, error };
  };

  it('choose together where that is better, whatever they read', () => {
    const sites = [measured('a', 'x', 1, ways(0.4, 0.2)), measured('b', 'y', 3, ways(0.4, 0.1))];
    expect(methodsOf(candidateTable(sites).within(12)!.plans)).toEqual(['dictionary:4', 'dictionary:8']);
    const units = [unitOf(sites, 4, 0.02), unitOf(sites, 8, 0.01)];
    const table = candidateTable(sites, units);
    expect(methodsOf(table.within(12)!.plans)).toEqual(['dictionary:4', 'dictionary:4']);
    expect(table.within(12)).toMatchObject({ bits: 8, loss: expect.closeTo(0.08, 12) });
    expect(table.uniformWithin(16)).toMatchObject({ bits: 16, loss: expect.closeTo(0.04, 12) });
    expect(table.uniformWithin(8)!.plans.map(({ site }) => site.name)).toEqual(['a', 'b']);
    // Where it gains nothing they choose apart.
    const worse = candidateTable(sites, [unitOf(sites, 4, 0.5), unitOf(sites, 8, 0.3)]);
    expect(methodsOf(worse.within(12)!.plans)).toEqual(['dictionary:4', 'dictionary:8']);
  });

  it('leave the others on their input free, but for an input scale', () => {
    const both = [...ways(0.4, 0.2), ['awq', 4, 0.001]] as const;
    const sites = [
      measured('a', 'x', 1, both),
      measured('b', 'x', 1, both),
      measured('c', 'x', 1, [
        ['gptq', 4, 0.1],
        ['awq', 4, 0.001],
      ]),
    ];
    expect(methodsOf(candidateTable(sites).within(12)!.plans)).toEqual(['awq:4', 'awq:4', 'awq:4']);
    const pair = sites.slice(0, 2);
    const table = candidateTable(sites, [unitOf(pair, 4, 1e-9)]);
    // Scaled all three lose 0.003, and beside a dictionary the third may not be.
    expect(methodsOf(table.within(12)!.plans)).toEqual(['awq:4', 'awq:4', 'awq:4']);
    const free = sites.map((site, index) => (index < 2 ? measured(`${'ab'[index]}`, 'x', 1, ways(0.4, 0.2)) : site));
    const freed = candidateTable(free, [unitOf(free.slice(0, 2), 4, 1e-9)]);
    expect(methodsOf(freed.within(12)!.plans)).toEqual(['dictionary:4', 'dictionary:4', 'gptq:4']);
  });
});

it('counts errors alike where no loss was measured', () => {
  const site = { ...measured('a', 'x', 1, [['rtn', 4, 0.25]]), losses: [] };
  expect(candidateTable([site]).within(4)!.loss).toBe(0.25);
});
