import type { LinearSite } from '@quern/core';
import { expect, it } from 'vitest';
import { type SitePlan, shapeIn } from './sitePlan.ts';

function plan(solver: string, inFeatures: number, inputName: string): SitePlan {
  const name = `${inputName}.${inFeatures}`;
  const site: LinearSite = {
    ...{ name, block: 0, outFeatures: 8, inFeatures, nodeName: name, weightName: name },
    ...{ inputName, sharedInputGroup: inputName },
  };
  return { site, solver, options: {} };
}

it('a shape says what its solver makes of the others that are solved with it, and nothing else', () => {
  const shapesOf = (solver: string, inputs: readonly (readonly [number, string])[]) => {
    const group = inputs.map(([inFeatures, inputName]) => plan(solver, inFeatures, inputName));
    return group.map(own => shapeIn(group, own));
  };
  const one = { outFeatures: 8, inFeatures: 16 };
  const together = [
    [16, 'x'],
    [16, 'x'],
  ] as const;
  expect(shapesOf('basis-sharing', together)).toEqual([
    { ...one, siteCount: 2 },
    { ...one, siteCount: 2 },
  ]);
  expect(shapesOf('awq', together)).toEqual([one, one]);
  expect(shapesOf('gptq', [[16, 'x']])).toEqual([one]);
  const stackedOutputs = [8, 8];
  expect(shapesOf('dictionary', together)).toEqual([
    { ...one, stackedOutputs },
    { ...one, stackedOutputs },
  ]);
  const several = [
    [16, 'x'],
    [24, 'y'],
  ] as const;
  const stackedInputs = [16, 24];
  expect(shapesOf('dictionary', several)).toEqual([
    { ...one, stackedInputs },
    { outFeatures: 8, inFeatures: 24, stackedInputs },
  ]);
});
