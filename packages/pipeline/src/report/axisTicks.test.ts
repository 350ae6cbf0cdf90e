import { describe, expect, it } from 'vitest';
import { axisScale } from './axisScale.ts';
import { axisTicks } from './axisTicks.ts';

describe('axisTicks', () => {
  it.each<[number, number, boolean, number, number[]]>([
    [0, 1, false, 6, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [1.3, 4.1, false, 6, [1.5, 2, 2.5, 3, 3.5, 4]],
    [97, 131, false, 4, [100, 110, 120, 130]],
    [2, 17, true, 6, [2, 3, 5, 7, 10, 15]],
    [2, 17, true, 5, [2, 5, 10]],
    [9, 1200, true, 6, [10, 30, 100, 300, 1000]],
    [0.5, 2e6, true, 4, [1, 100, 10000, 1000000]],
    [10, 10.4, true, 5, [10, 10.1, 10.2, 10.3, 10.4]],
    [3, 3, false, 5, [3]],
  ])('%d to %d, logarithmic %s, at most %d', (minimum, maximum, logarithmic, count, ticks) => {
    expect(axisTicks(minimum, maximum, { logarithmic, count })).toEqual(ticks);
  });
});

describe('axisScale', () => {
  it('is plain for a narrow range and keeps a margin', () => {
    const scale = axisScale([10, 12], { logarithmicFrom: 2 });
    expect([scale.logarithmic, scale.minimum, scale.maximum]).toEqual([false, 9.88, 12.12]);
    expect([scale.position(11), scale.position(50), scale.position(0)]).toEqual([11, 12.12, 9.88]);
  });

  it('is logarithmic for a wide one, and zero lies at its lower end', () => {
    const scale = axisScale([1, 100, 0], { logarithmicFrom: 2 });
    expect(scale.position(10)).toBe(1);
    expect(scale.minimum).toBeCloseTo(10 ** -0.12, 12);
    expect(scale.position(0)).toBeCloseTo(-0.12, 12);
  });

  it('does not stretch to what lies above its ceiling', () => {
    const scale = axisScale([10, 12, 5000, Number.POSITIVE_INFINITY], { logarithmicFrom: 2, ceiling: 100 });
    expect(scale.maximum).toBe(12.12);
    expect(scale.position(5000)).toBe(12.12);
  });
});
