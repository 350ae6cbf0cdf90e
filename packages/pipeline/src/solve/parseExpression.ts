import { all, create } from 'mathjs/number';

const math = create(all!, {});
const { parse } = math;
// An expression computes a number from numbers; what could reach further is gone.
const forbidden = [
  'import',
  'createUnit',
  'reviver',
  'evaluate',
  'parse',
  'simplify',
  'derivative',
  'resolve',
  'chain',
];
math.import!(
  Object.fromEntries(
    forbidden.map(name => [
      name,
      () => {
        throw new Error(`${name} is not available`);
      },
    ]),
  ),
  { override: true },
);

/** Reads an expression. To be loaded when there is one: a third of a second and 16 MB. */
export const parseExpression = parse;
