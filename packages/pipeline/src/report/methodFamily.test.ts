import { expect, it } from 'vitest';
import { methodFamily } from './methodFamily.ts';

it.each([
  ['gptq:3', 'gptq'],
  ['gptq:4:128', 'gptq'],
  ['gptq:3:32+lowrank', 'gptq+lowrank'],
  ['gptq:3+lowrank:8', 'gptq+lowrank'],
  ['svd-llm', 'svd-llm'],
])('%s belongs to %s', (method, family) => {
  expect(methodFamily(method)).toBe(family);
});
