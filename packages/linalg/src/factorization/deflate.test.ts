import { expect, it } from 'vitest';
import { deflate, Support } from './deflate.ts';

it('takes out poles without weight and turns equal poles into one', () => {
  const poles = Float64Array.of(3, 1, 2, 1);
  const z = Float64Array.of(0.5, 3, 0, 4);
  const supports = [Support.head, Support.head, Support.tail, Support.tail];
  const turns: number[][] = [];
  const { kept, deflated } = deflate({ poles, z, supports, rho: 1, rotate: (...turn) => void turns.push(turn) });
  expect(deflated).toEqual([1, 2]);
  expect(kept).toEqual([3, 0]);
  expect([...z]).toEqual([0.5, 0, 0, 5]);
  // (cosine x + sine y): 4/5 of pole 1's vector less 3/5 of pole 3's has no weight: 4/5 3 - 3/5 4 = 0.
  expect(turns).toEqual([[1, 3, 0.8, -0.6]]);
  expect(supports[3]).toBe(Support.both);
});
