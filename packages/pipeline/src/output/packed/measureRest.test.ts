import { join } from 'node:path';
import { findLinearSites } from '@quern/onnx';
import { expect, it } from 'vitest';
import { compress } from '../../compress.ts';
import { openModel } from '../../open/openModel.ts';
import { type RecipeInput, resolveRecipe } from '../../recipe.ts';
import { selectSites } from '../../solve/selectSites.ts';
import { temporaryFolder } from '../../testSupport/temporaryFolder.ts';
import { measureRest } from './measureRest.ts';

const demo = join(import.meta.dirname, '..', '..', '..', '..', '..', 'models', 'demo');
const folder = temporaryFolder();

/** Bytes of a packed result that are not its sites', and what was said of them before. */
async function rests(name: string, input: RecipeInput): Promise<{ written: number; measured: number }> {
  const recipe = resolveRecipe({
    ...{ storage: 'packed', ...input },
    calibration: { windows: 4, windowLength: 32 },
  });
  const opened = await openModel(demo, { dtype: recipe.dtype });
  const measured = await measureRest(opened, selectSites(findLinearSites(opened.model), recipe), recipe);
  const request = { model: demo, out: join(folder.path, name), recipe, evaluate: null, perDocument: false } as const;
  const run = { ...request, device: 'cpu', force: false, resume: false } as const;
  const { storage } = await compress(run, () => undefined);
  return { written: storage.compressedBytes - storage.storedBytes, measured };
}

it.each<[string, RecipeInput]>([
  ['rtn', { method: 'rtn', bits: 4 }],
  // The norms of its one block take input scales, which makes them larger.
  [
    'watersic',
    { method: 'watersic', bits: 3, allocation: 'uniform', rules: [{ sites: '*.{1,2,3,4,5}.**', method: 'rtn' }] },
  ],
])('says before a run with %s what embedding, head, norms and graph take after it', async (name, input) => {
  const { written, measured } = await rests(name, input);
  // The codes of the sites change which tables there are.
  expect(Math.abs(written - measured)).toBeLessThan(500);
});
