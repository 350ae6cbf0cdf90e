import { join } from 'node:path';
import { type CompressedWeight, type LowRankWeight, maskedStorageBits, storageBits } from '@quern/core';
import { InferenceSession } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { OnnxModel } from '../onnxModel.ts';
import { readOnnxModel } from '../read/readOnnxModel.ts';
import { compressedModel, distance, EXACT, HALF, TOKENS } from '../testing/compressedProduct.ts';
import { runModel } from '../testing/runModel.ts';
import { randomDictionary, randomFloats, randomQuantized, seededRandom } from '../testing/sampleWeights.ts';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { storedBytes } from '../testing/storedBytes.ts';
import { floatTensor, halfTensor, valuesOf } from '../testing/tensors.ts';
import { cloneModel } from './cloneModel.ts';
import { copyRemaining } from './copyRemaining.ts';
import type { KernelOptions } from './graphPiece.ts';
import { serializeModel } from './serializeModel.ts';
import { storeMasked } from './storeMasked.ts';
import { createWeightStore } from './weightStore.ts';

const folder = scratchFolder();
let fileCount = 0;

/** The same model with masks, and the bytes that it gives them. */
async function withMasks(model: OnnxModel): Promise<{ masked: OnnxModel; sizes: Map<string, number> }> {
  const copy = cloneModel(model);
  const store = createWeightStore({ folder: folder.path, fileName: `masked_${fileCount++}` });
  const sizes = await storeMasked(copy, store);
  await copyRemaining(copy, store, { fold: false });
  await store.close();
  return { masked: { proto: copy.proto, folder: store.folder }, sizes };
}

async function outputs(model: OnnxModel, { inFeatures }: CompressedWeight, options: KernelOptions) {
  const activations = randomFloats(TOKENS * inFeatures, seededRandom(8)).map(Math.f16round);
  const tensor = options.activationType === 'float16' ? halfTensor : floatTensor;
  return valuesOf((await runModel(model, { x: tensor(activations, [TOKENS, inFeatures]) })).y!);
}

/** Bits of the tensors that hold weights. */
function weightBits(model: OnnxModel): number {
  const weights = model.proto.graph!.initializer.filter(({ name }) =>
    /_(Q4|Q8|F16|scales|F16_mask|F16_values|Q\d_mask|Q\d_codes)$/.test(name),
  );
  return 8 * storedBytes(weights);
}

/** Coefficients of a random dictionary on a grid, every code in use. */
function onGrid(shape: Parameters<typeof randomDictionary>[0], bits: number): LowRankWeight {
  const { left, ...others } = randomDictionary(shape, seededRandom(bits));
  if (left.kind !== 'sparse') throw new Error('not sparse');
  // Where 0 is a level it is left out, as what the mask says.
  const free = bits === 4 || bits === 8 ? 2 ** (bits - 1) : -1;
  const codes = Uint8Array.from(left.values, (_, index) => {
    const code = (index * 37) % 2 ** bits;
    return code === free ? 0 : code;
  });
  const scales = Float32Array.from({ length: left.outFeatures }, (_, row) => Math.f16round(0.1 + row / 16));
  const { outFeatures, inFeatures, mask } = left;
  return { ...others, left: { kind: 'sparseGrid', outFeatures, inFeatures, bits, mask, codes, scales } };
}

describe('sparse dictionaries', () => {
  // Places that fill bytes and blocks, and that do not.
  const shapes = [
    { outFeatures: 16, inFeatures: 24, atomCount: 16 },
    { outFeatures: 7, inFeatures: 17, atomCount: 5 },
    { outFeatures: 33, inFeatures: 40, atomCount: 31 },
  ];
  const cases = [16, 2, 3, 4, 5, 7, 8].flatMap(bits => shapes.map(shape => ({ bits, ...shape })));
  it.each(cases)(
    '$bits bits, $outFeatures x $atomCount x $inFeatures: container and masks multiply like the reconstruction, in the bits that are counted',
    async ({ bits, ...shape }) => {
      const compressed = bits === 16 ? randomDictionary(shape, seededRandom(5)) : onGrid(shape, bits);
      for (const [options, limit] of [
        [EXACT, 1e-6],
        [HALF, 3e-3],
      ] as const) {
        const model = await compressedModel(folder.path, compressed, options);
        expect(await distance(model, compressed, options === HALF)).toBeLessThan(limit);
        expect(weightBits(model)).toBe(storageBits(compressed));
        const { masked, sizes } = await withMasks(model);
        expect(await outputs(masked, compressed, options)).toEqual(await outputs(model, compressed, options));
        expect(sizes.size).toBe(1);
        expect(weightBits(masked)).toBe(maskedStorageBits(compressed));
      }
    },
  );

  it.each([16, 3])('%i bits: sessions put the matrix together once, when they open', async bits => {
    const shape = { outFeatures: 33, inFeatures: 40, atomCount: 31 };
    const compressed = bits === 16 ? randomDictionary(shape, seededRandom(5)) : onGrid(shape, bits);
    const { masked } = await withMasks(await compressedModel(folder.path, compressed, EXACT));
    const optimizedModelFilePath = join(folder.path, `folded_${bits}.onnx`);
    const extra = { session: { model_external_initializers_file_folder_path: masked.folder } };
    const session = await InferenceSession.create(serializeModel(masked), {
      ...{ optimizedModelFilePath, extra, logSeverityLevel: 3 },
    });
    await session.release();
    const { proto } = await readOnnxModel(optimizedModelFilePath);
    const product = bits === 16 ? 'MatMul' : 'MatMulNBits';
    expect(proto.graph!.node.map(({ opType }) => opType)).toEqual(['MatMul', product]);
  });

  it('leaves alone what a mask does not make smaller', async () => {
    const grid = { outFeatures: 40, inFeatures: 72, bits: 4, groupSize: 32, scaleType: 'float16' } as const;
    for (const compressed of [
      randomQuantized(grid, true, seededRandom(3)),
      randomQuantized(grid, false, seededRandom(4)),
    ]) {
      const { sizes } = await withMasks(await compressedModel(folder.path, compressed, EXACT));
      expect(sizes.size).toBe(0);
    }
  });

  it('refuses values that do not fit the mask, and values that float16 does not hold', async () => {
    const compressed = randomDictionary({ outFeatures: 4, inFeatures: 6, atomCount: 3 }, seededRandom(6));
    if (compressed.left.kind !== 'sparse') throw new Error('not sparse');
    const short = { ...compressed, left: { ...compressed.left, values: compressed.left.values.slice(1) } };
    await expect(compressedModel(folder.path, short, EXACT)).rejects.toMatchObject({ code: 'INVALID_SHAPE' });
    const fine = { ...compressed, left: { ...compressed.left, values: compressed.left.values.map(() => 0.1) } };
    await expect(compressedModel(folder.path, fine, EXACT)).rejects.toMatchObject({ code: 'SOLVER_FAILED' });
  });
});
