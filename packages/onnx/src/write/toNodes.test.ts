import { type CompressedWeight, reconstruct, storageBits } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { intOf } from '../attributeValue.ts';
import { createModel } from '../build/createModel.ts';
import { floatInitializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { findLinearSites } from '../sites/findLinearSites.ts';
import { compressedModel, distance, EXACT, HALF, TOKENS } from '../testing/compressedProduct.ts';
import { runModel } from '../testing/runModel.ts';
import {
  denseProduct,
  type FactorFormat,
  randomDense,
  randomFactor,
  randomFloats,
  randomLowRank,
  randomQuantized,
  relativeDistance,
  seededRandom,
} from '../testing/sampleWeights.ts';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { storedBytes } from '../testing/storedBytes.ts';
import { floatTensor, valuesOf } from '../testing/tensors.ts';
import { replaceSite } from './replaceSite.ts';
import { createWeightStore } from './weightStore.ts';
import { withAccuracyLevel } from './withAccuracyLevel.ts';

const folder = scratchFolder();
let fileCount = 0;

interface Shape {
  readonly outFeatures: number;
  readonly inFeatures: number;
}

/** Shapes for Expand are int64; every other tensor belongs to the weight. */
function storedBits(model: OnnxModel): number {
  return 8 * storedBytes(model.proto.graph!.initializer.filter(({ dataType }) => dataType !== DataType.INT64));
}

const SHAPES: readonly Shape[] = [
  { outFeatures: 1, inFeatures: 17 },
  { outFeatures: 105, inFeatures: 1 },
  { outFeatures: 33, inFeatures: 172 },
  { outFeatures: 130, inFeatures: 352 },
];
const RANKS = [1, 3, 8, 17, 40];
const FORMATS: readonly FactorFormat[] = [
  { bits: 16, groupSize: 'channel', symmetric: true },
  ...[8, 4, 3, 2].flatMap(bits =>
    ([16, 32, 64, 128, 'channel'] as const).map((groupSize, index) => ({
      bits,
      groupSize,
      symmetric: index % 2 === 0,
    })),
  ),
];
const BASE = { bits: 3, groupSize: 16, scaleType: 'float16' } as const;

/** One weight of every kind that has factors, in one format. */
function samples(shape: Shape, rank: number, format: FactorFormat, random: () => number): CompressedWeight[] {
  const lowRank = randomLowRank({ ...shape, rank }, format, random);
  const correction = randomLowRank({ ...shape, rank }, format, random);
  const base = randomQuantized({ ...shape, ...BASE }, false, random);
  return [lowRank, { kind: 'corrected', ...shape, base, correction }];
}

describe('toNodes', () => {
  it.each(FORMATS)(
    'low rank and corrections: multiplies by the reconstruction, in the bits it counts: %o',
    async format => {
      const random = seededRandom(format.bits);
      for (const shape of SHAPES) {
        for (const rank of RANKS) {
          for (const compressed of samples(shape, rank, format, random)) {
            const label = JSON.stringify({ kind: compressed.kind, ...shape, rank });
            const model = await compressedModel(folder.path, compressed, EXACT);
            expect(await distance(model, compressed), label).toBeLessThan(1e-5);
            expect(storedBits(model), label).toBe(storageBits(compressed));
          }
        }
      }
    },
  );

  it('dense: multiplies by the stored halves, which take two bytes a value', async () => {
    for (const { outFeatures, inFeatures } of SHAPES) {
      const compressed = randomDense(outFeatures, inFeatures, seededRandom(5));
      const model = await compressedModel(folder.path, compressed, EXACT);
      expect(await distance(model, compressed)).toBeLessThan(1e-6);
      expect(storedBits(model)).toBe(storageBits(compressed));
    }
  });

  it('float16 graphs have no Cast', async () => {
    const shape = { outFeatures: 33, inFeatures: 172 };
    for (const format of FORMATS.filter(({ groupSize }) => groupSize !== 16)) {
      for (const compressed of [
        ...samples(shape, 40, format, seededRandom(6)),
        randomDense(33, 172, seededRandom(7)),
      ]) {
        const model = await compressedModel(folder.path, compressed, HALF);
        expect(model.proto.graph!.node.some(({ opType }) => opType === 'Cast')).toBe(false);
        expect(await distance(model, compressed, true)).toBeLessThan(1e-2);
        expect(storedBits(model)).toBe(storageBits(compressed));
      }
    }
  });

  it('sets the accuracy level of every product over codes', async () => {
    const format = { bits: 4, groupSize: 32, symmetric: true } as const;
    const [, corrected] = samples({ outFeatures: 64, inFeatures: 256 }, 64, format, seededRandom(8));
    const shipped = await compressedModel(folder.path, corrected!, { ...EXACT, accuracyLevel: 4 });
    const levels = (model: OnnxModel) =>
      model.proto
        .graph!.node.filter(({ opType }) => opType === 'MatMulNBits')
        .map(product => intOf(product, 'accuracy_level', -1));
    expect(levels(shipped)).toEqual([4, 4, 4]);
    const exact = withAccuracyLevel(shipped, 0);
    expect(levels(exact)).toEqual([0, 0, 0]);
    const [rounded, exactly] = [await distance(shipped, corrected!), await distance(exact, corrected!)];
    expect(exactly).toBeLessThan(1e-5);
    expect(rounded).toBeGreaterThan(1e-4);
    expect(rounded).toBeLessThan(5e-2);
  });

  it('names factors before the endings of node and weight', async () => {
    const dense = { bits: 16, groupSize: 'channel', symmetric: true } as const;
    const [lowRank, corrected] = samples({ outFeatures: 4, inFeatures: 20 }, 3, dense, seededRandom(9));
    const names = async (compressed: CompressedWeight) => {
      const { node: nodes, initializer } = (await compressedModel(folder.path, compressed, EXACT)).proto.graph!;
      const products = nodes.filter(({ opType }) => opType !== 'Cast');
      return { nodes: products.map(({ name }) => name), tensors: initializer.map(({ name }) => name) };
    };
    expect(await names(lowRank!)).toEqual({
      nodes: ['/proj/right/MatMul_F16', '/proj/left/MatMul_F16'],
      tensors: ['proj.right.MatMul.weight_F16', 'proj.left.MatMul.weight_F16'],
    });
    expect(await names(corrected!)).toEqual({
      nodes: ['/proj/MatMul_Q4', '/proj/right/MatMul_F16', '/proj/left/MatMul_F16', 'y_correction/Add'],
      tensors: [
        'proj.MatMul.weight_Q4',
        'proj.MatMul.weight_scales',
        'proj.MatMul.weight_zp',
        'proj.right.MatMul.weight_F16',
        'proj.left.MatMul.weight_F16',
      ],
    });
    expect(await names(randomDense(4, 20, seededRandom(1)))).toEqual({
      nodes: ['/proj/MatMul_F16'],
      tensors: ['proj.MatMul.weight_F16'],
    });
    const mixed = {
      ...lowRank!,
      right: randomFactor(3, 20, { ...dense, bits: 4 }, seededRandom(2)),
    } as CompressedWeight;
    expect((await names(mixed)).tensors).toEqual([
      'proj.right.MatMul.weight_Q4',
      'proj.right.MatMul.weight_scales',
      'proj.left.MatMul.weight_F16',
    ]);
  });

  it('keeps what Gemm does around the factors', async () => {
    const [inFeatures, outFeatures] = [17, 33];
    const random = seededRandom(10);
    const bias = randomFloats(outFeatures, random);
    const format = { bits: 4, groupSize: 16, symmetric: false } as const;
    const weights = [
      ...samples({ outFeatures, inFeatures }, 8, format, random),
      ...samples({ outFeatures, inFeatures }, 8, { ...format, bits: 16 }, random),
      randomDense(outFeatures, inFeatures, random),
    ];
    for (const compressed of weights) {
      for (const transB of [0, 1]) {
        const dims = transB ? [outFeatures, inFeatures] : [inFeatures, outFeatures];
        const attributes = { transA: { int: 1 }, transB: { int: transB }, alpha: { float: 3 }, beta: { float: -2 } };
        const model = createModel({
          folder: folder.path,
          inputs: [tensorInput('x', DataType.FLOAT, [inFeatures, TOKENS])],
          outputs: [tensorInput('y', DataType.FLOAT, [TOKENS, outFeatures])],
          initializers: [
            floatInitializer('w', new Float32Array(inFeatures * outFeatures), dims),
            floatInitializer('bias', bias),
          ],
          nodes: [node('Gemm', ['x', 'w', 'bias'], ['y'], { attributes })],
        });
        const store = createWeightStore({ folder: folder.path, fileName: `gemm_${fileCount++}` });
        await replaceSite(model, { ...EXACT, site: findLinearSites(model)[0]!, compressed }, store);
        await store.close();
        const rows = randomFloats(TOKENS * inFeatures, random);
        const columns = rows.map((_, k) => rows[(k % TOKENS) * inFeatures + Math.floor(k / TOKENS)]!);
        const { y } = await runModel(model, { x: floatTensor(columns, [inFeatures, TOKENS]) });
        const product = denseProduct(rows, await reconstruct(compressed));
        const expected = product.map((value, index) => value - 2 * bias[index % outFeatures]!);
        expect(relativeDistance(valuesOf(y), expected), `${compressed.kind} ${transB}`).toBeLessThan(1e-5);
        expect(model.proto.graph!.initializer.some(({ name }) => name === 'w')).toBe(false);
      }
    }
  });

  it('refuses parts that do not multiply to the weight, and values that float16 does not hold', async () => {
    const random = seededRandom(11);
    const shape = { outFeatures: 6, inFeatures: 20 };
    const dense = { bits: 16, groupSize: 'channel', symmetric: true } as const;
    const lowRank = randomLowRank({ ...shape, rank: 4 }, dense, random);
    const base = randomQuantized({ ...shape, ...BASE }, true, random);
    const wide = randomLowRank({ outFeatures: 6, inFeatures: 21, rank: 4 }, dense, random);
    const matrix = randomDense(6, 20, random);
    const withValue = (value: number) => ({ ...matrix, data: matrix.data.with(7, value) });
    const cases: [CompressedWeight, string][] = [
      [{ ...lowRank, left: randomDense(6, 5, random) }, 'INVALID_SHAPE'],
      [{ ...lowRank, left: randomDense(7, 4, random) }, 'INVALID_SHAPE'],
      [{ ...lowRank, right: randomDense(4, 21, random) }, 'INVALID_SHAPE'],
      [{ kind: 'corrected', ...shape, base, correction: wide }, 'INVALID_SHAPE'],
      [{ kind: 'corrected', ...shape, base: { ...base, outFeatures: 7 }, correction: lowRank }, 'INVALID_SHAPE'],
      [{ ...matrix, data: matrix.data.subarray(1) }, 'INVALID_SHAPE'],
      [withValue(0.1), 'SOLVER_FAILED'],
      [withValue(70000), 'SOLVER_FAILED'],
      [withValue(Number.NaN), 'SOLVER_FAILED'],
    ];
    for (const [compressed, code] of cases) {
      await expect(compressedModel(folder.path, compressed, EXACT)).rejects.toMatchObject({ code });
    }
  });
});
