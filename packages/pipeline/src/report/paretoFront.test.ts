import { describe, expect, it } from 'vitest';
import { paretoFront, type Trade } from './paretoFront.ts';

const trades = (...pairs: readonly (readonly [number, number])[]): Trade[] =>
  pairs.map(([cost, loss]) => ({ cost, loss }));

describe('paretoFront, by hand', () => {
  it.each<[string, readonly (Trade | null)[], number[]]>([
    ['nothing', [], []],
    ['one row', trades([5, 5]), [0]],
    ['a staircase keeps every step', trades([1, 9], [2, 5], [3, 2]), [0, 1, 2]],
    ['larger and worse is out', trades([1, 3], [2, 4], [3, 2]), [0, 2]],
    ['the order of rows does not matter, the answer rises in cost', trades([3, 2], [2, 4], [1, 3]), [2, 0]],
    ['same cost: the better one', trades([1, 4], [1, 3]), [1]],
    ['same loss: the smaller one', trades([2, 3], [1, 3]), [1]],
    ['equal rows stand together', trades([1, 3], [1, 3], [2, 3]), [0, 1]],
    ['rows without figures are left out', [null, { cost: 2, loss: 3 }, { cost: 1, loss: Number.NaN }], [1]],
    ['an infinite loss is no trade', trades([1, Number.POSITIVE_INFINITY], [2, 7]), [1]],
  ])('%s', (_, rows, front) => {
    expect(paretoFront(rows)).toEqual(front);
  });

  it('agrees with the definition on 200 random trades with many ties', () => {
    let state = 7;
    const next = () => {
      state = (state * 48271) % 2147483647;
      return state % 23;
    };
    const rows = Array.from({ length: 200 }, () => ({ cost: next(), loss: next() }));
    const dominated = (row: Trade) =>
      rows.some(
        other => other.cost <= row.cost && other.loss <= row.loss && (other.cost < row.cost || other.loss < row.loss),
      );
    const wanted = rows.flatMap((row, index) => (dominated(row) ? [] : [index]));
    expect(paretoFront(rows).toSorted((a, b) => a - b)).toEqual(wanted);
  });
});
