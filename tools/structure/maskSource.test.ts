import { describe, expect, it } from 'vitest';
import { maskSource } from './maskSource.ts';

describe('maskSource', () => {
  it.each([
    ['a; // b', 'a;     '],
    ['a /* b\nc */ d', 'a     \n     d'],
    [`f('x\\'y', "z")`, `f('    ', " ")`],
    [`f(\`a \${b ? \`c\` : "}"} d\`) + e`, `f(\`${' '.repeat(20)}\`) + e`],
    ["f(/'\"[/\\]]/g, 'a')", "f(/       /g, ' ')"],
    ['a / b / c', 'a / b / c'],
    ['(a) / b; x = y[0] / 2', '(a) / b; x = y[0] / 2'],
    ['return /x/.test(a)', 'return / /.test(a)'],
    ["'open\nnext", "'    \nnext"],
  ])('masks %j', (source, masked) => {
    expect(maskSource(source)).toBe(masked);
  });
});
