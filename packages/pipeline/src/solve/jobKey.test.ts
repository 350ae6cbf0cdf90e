import { expect, it } from 'vitest';
import { jobKey } from './jobKey.ts';

it('hashes content, not the order in which it was written', () => {
  const key = jobKey({ site: 'q_proj', options: { bits: 4, symmetric: true } });
  expect(jobKey({ options: { symmetric: true, bits: 4 }, site: 'q_proj' })).toBe(key);
  expect(jobKey({ options: { symmetric: true, bits: 3 }, site: 'q_proj' })).not.toBe(key);
  expect(jobKey(['a', 'b'])).not.toBe(jobKey(['b', 'a']));
  // sha256 of the text {"a":1}
  expect(jobKey({ a: 1 })).toBe('015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862');
});
