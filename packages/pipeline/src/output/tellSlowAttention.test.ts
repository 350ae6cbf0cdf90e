import { join } from 'node:path';
import { importCheckpoint } from '@quern/importer';
import { expect, it } from 'vitest';
import type { PipelineEvent } from '../events.ts';
import { resolveRecipe } from '../recipe.ts';
import { tellSlowAttention } from './tellSlowAttention.ts';

const demo = join(import.meta.dirname, '../../../../models/demo');

it.each([
  ['cuda', 'fp32', 1],
  ['cuda', 'fp16', 0],
  ['webgpu', 'fp32', 0],
] as const)('of --target %s in %s says what runs on the processor: %i warnings', async (target, dtype, count) => {
  const { model } = await importCheckpoint(demo, { dtype });
  const events: PipelineEvent[] = [];
  tellSlowAttention(model, resolveRecipe({ target, dtype }), event => events.push(event));
  expect(events).toHaveLength(count);
});
