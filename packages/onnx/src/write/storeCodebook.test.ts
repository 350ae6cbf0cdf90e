import { type CompressedWeight, storageBits } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { floatInitializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import { findLinearSites } from '../sites/findLinearSites.ts';
import { compressedModel, distance, EXACT, HALF } from '../testing/compressedProduct.ts';
import { randomCodebook, seededRandom } from '../testing/sampleWeights.ts';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { storedBytes } from '../testing/storedBytes.ts';
import { replaceSite } from './replaceSite.ts';
import { createWeightStore } from './weightStore.ts';

const folder = scratchFolder();

describe('codebooks', () => {
  // Codes of one plane and of several, groups that fit the inputs and that reach past them, codes that do not fill bytes.
  it.each([
    [{ outFeatures: 16, inFeatures: 24, groupSize: 8, codebookCount: 2, codebookBits: 8 }, EXACT, 1e-6],
    [{ outFeatures: 7, inFeatures: 17, groupSize: 4, codebookCount: 1, codebookBits: 3 }, EXACT, 1e-6],
    [{ outFeatures: 5, inFeatures: 21, groupSize: 8, codebookCount: 3, codebookBits: 7 }, EXACT, 1e-6],
    [{ outFeatures: 33, inFeatures: 40, groupSize: 2, codebookCount: 2, codebookBits: 12 }, EXACT, 1e-6],
    [{ outFeatures: 9, inFeatures: 30, groupSize: 1, codebookCount: 1, codebookBits: 16 }, EXACT, 1e-6],
    [{ outFeatures: 33, inFeatures: 40, groupSize: 8, codebookCount: 4, codebookBits: 5 }, HALF, 3e-3],
  ] as const)('%o multiply like their reconstruction, in the bits that are counted', async (shape, options, limit) => {
    const compressed = randomCodebook(shape, seededRandom(7));
    const model = await compressedModel(folder.path, compressed, options);
    expect(await distance(model, compressed, options === HALF)).toBeLessThan(limit);
    const stored = model.proto.graph!.initializer.filter(({ name }) => /_(codes\d|words|scales)$/.test(name));
    expect(8 * storedBytes(stored)).toBe(storageBits(compressed));
  });

  it('refuses a graph whose operators are too old', async () => {
    const compressed = randomCodebook(
      { outFeatures: 4, inFeatures: 6, groupSize: 2, codebookCount: 1, codebookBits: 2 },
      seededRandom(9),
    );
    const model = createModel({
      folder: folder.path,
      inputs: [tensorInput('x', DataType.FLOAT, ['tokens', 6])],
      outputs: [tensorInput('y', DataType.FLOAT, ['tokens', 4])],
      initializers: [floatInitializer('w', new Float32Array(24), [6, 4])],
      nodes: [node('MatMul', ['x', 'w'], ['y'])],
      opsets: { '': 9 },
    });
    const store = createWeightStore({ folder: folder.path, fileName: 'old' });
    const replaced = replaceSite(model, { ...EXACT, site: findLinearSites(model)[0]!, compressed }, store);
    await expect(replaced).rejects.toMatchObject({ code: 'UNSUPPORTED_MODEL', context: { opset: 9, limit: 10 } });
    await store.abort();
  });

  it('refuses parts that do not fit each other, codes without a word, values that float16 does not hold', async () => {
    const shape = { outFeatures: 4, inFeatures: 6, groupSize: 2, codebookCount: 2, codebookBits: 2 };
    const compressed = randomCodebook(shape, seededRandom(8));
    const cases: [CompressedWeight, string][] = [
      [{ ...compressed, codes: compressed.codes.slice(1) }, 'INVALID_SHAPE'],
      [{ ...compressed, codebooks: compressed.codebooks.slice(1) }, 'INVALID_SHAPE'],
      [{ ...compressed, scales: compressed.scales.slice(1) }, 'INVALID_SHAPE'],
      [{ ...compressed, codes: compressed.codes.with(3, 4) }, 'SOLVER_FAILED'],
      [{ ...compressed, codebooks: compressed.codebooks.with(3, 0.1) }, 'SOLVER_FAILED'],
      [{ ...compressed, scales: compressed.scales.with(3, 1e6) }, 'SOLVER_FAILED'],
    ];
    for (const [bad, code] of cases) {
      await expect(compressedModel(folder.path, bad, EXACT)).rejects.toMatchObject({ code });
    }
  });
});
