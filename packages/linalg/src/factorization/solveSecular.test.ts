import { expect, it } from 'vitest';
import { createSecularSolver } from './solveSecular.ts';

it.each([1, 2, 3, 8, 33])('finds roots and vectors of D + rho z z^T for %i poles', count => {
  const poles = Float64Array.from({ length: count }, (_, index) => index + (index % 3) * 1e-9);
  const z = Float64Array.from({ length: count }, (_, index) => (index % 2 === 0 ? 1 : -1) / (1 + (index % 5) * 1e3));
  const rho = 0.7;
  const order = Array.from(poles.keys()).reverse();
  const solution = createSecularSolver(count)(poles, z, rho, order);
  const trace = z.reduce((sum, value) => sum + rho * value * value, 0);
  const moved = solution.roots.reduce((sum, root, index) => sum + root - poles[index]!, 0);
  expect(moved).toBeCloseTo(trace, 12);
  const { left, right } = solution.vectors(0, count, count, count - 1);
  for (let root = 0; root < count; root++) {
    const vector = order.map((_, index) => left.data[root * count + order.indexOf(index)]!);
    expect(right.data[root]).toBe(vector[0]);
    const inner = vector.reduce((sum, value, index) => sum + value * z[index]!, 0);
    vector.forEach((value, index) => {
      const product = poles[index]! * value + rho * inner * z[index]!;
      expect(product).toBeCloseTo(solution.roots[root]! * value, 12);
    });
  }
});

it('says so when a root does not converge', () => {
  const solve = createSecularSolver(2);
  expect(() => solve(Float64Array.of(0, 1), Float64Array.of(1, Number.NaN), 1, [0, 1])).toThrow('did not converge');
});
