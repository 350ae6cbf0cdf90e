import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

/**
 * The value of an expression such as 3.2MB, 2%, 7/2 or 4MB - 300kB: a plain number, or with `unit` the number of those where the
 * expression has one. NaN for everything else, and for another kind of unit.
 */
export function evaluateExpression(expression: number | string, unit: string | null): number {
  if (typeof expression === 'number') return expression;
  const { unitMath: math } = load('./unitMath.ts') as typeof import('./unitMath.ts');
  try {
    const value: unknown = math.evaluate!(expression);
    if (typeof value === 'number') return value;
    return unit !== null && math.isUnit!(value) ? value.toNumber(unit) : Number.NaN;
  } catch {
    return Number.NaN;
  }
}
