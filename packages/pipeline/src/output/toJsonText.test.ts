import { expect, it } from 'vitest';
import { toJsonText } from './toJsonText.ts';

it('keeps every value, with lists of numbers on one line', () => {
  const value = {
    curve: [0.25, 1e-7, -3, 12],
    none: [],
    mixed: [1, 'two', null],
    nested: [
      [1, 2],
      [3, 4],
    ],
    text: '[\n  1,\n  2\n]',
    objects: [{ a: [1] }, { a: [1, 2] }],
  };
  const text = toJsonText(value);
  expect(JSON.parse(text)).toEqual(value);
  expect(text).toContain('\n  "curve": [0.25, 1e-7, -3, 12],\n');
  expect(text).toContain('\n    [1, 2],\n');
  expect(text).toContain('"mixed": [\n    1,\n    "two",\n');
  expect(text.endsWith('}\n')).toBe(true);
});
