import { type CompressedWeight, reconstruct, storageBits } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { intOf } from '../attributeValue.ts';
import { createModel } from '../build/createModel.ts';
import { float16Initializer, floatInitializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { findLinearSites } from '../sites/findLinearSites.ts';
import { runModel } from '../testing/runModel.ts';
import {
  denseProduct,
  type FactorFormat,
  randomCodebook,
  randomDense,
  randomDictionary,
  randomFactor,
  randomFloats,
  randomLowRank,
  randomQuantized,
  relativeDistance,
  seededRandom,
} from '../testing/sampleWeights.ts';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { storedBytes } from '../testing/storedBytes.ts';
import { floatTensor, halfTensor, valuesOf } from '../testing/tensors.ts';
import type { KernelOptions } from './graphPiece.ts';
import { replaceSite } from './replaceSite.ts';
import { createWeightStore } from './weightStore.ts';
import { withAccuracyLevel } from './withAccuracyLevel.ts';

const folder = scratchFolder();
let fileCount = 0;

const EXACT: KernelOptions = { accuracyLevel: 0, activationType: 'float32' };
const HALF: KernelOptions = { accuracyLevel: 0, activationType: 'float16' };
const TOKENS = 3;

interface Shape {
  readonly outFeatures: number;
  readonly inFeatures: number;
}

/** x [tokens, in] -> MatMul -> y with the compressed weight in place of the stored one. */
async function compressedModel(compressed: CompressedWeight, options: KernelOptions): Promise<OnnxModel> {
  const { outFeatures, inFeatures } = compressed;
  const halves = options.activationType === 'float16';
  const dataType = halves ? DataType.FLOAT16 : DataType.FLOAT;
  const zeros = new Float32Array(inFeatures * outFeatures);
  const initializer = halves ? float16Initializer : floatInitializer;
  const model = createModel({
    folder: folder.path,
    inputs: [tensorInput('x', dataType, ['tokens', inFeatures])],
    outputs: [tensorInput('y', dataType, ['tokens', outFeatures])],
    initializers: [initializer('proj.MatMul.weight', zeros, [inFeatures, outFeatures])],
    nodes: [node('MatMul', ['x', 'proj.MatMul.weight'], ['y'], { name: '/proj/MatMul' })],
  });
  const store = createWeightStore({ folder: folder.path, fileName: `nodes_${fileCount++}` });
  await replaceSite(model, { ...options, site: findLinearSites(model)[0]!, compressed }, store);
  await store.close();
  return model;
}

/** Runs the nodes on random activations and gives the distance to the product by the reconstruction. */
async function distance(model: OnnxModel, compressed: CompressedWeight, halves = false): Promise<number> {
  const activations = randomFloats(TOKENS * compressed.inFeatures, seededRandom(77)).map(Math.f16round);
  const tensor = halves ? halfTensor : floatTensor;
  const { y } = await runModel(model, { x: tensor(activations, [TOKENS, compressed.inFeatures]) });
  return relativeDistance(valuesOf(y), denseProduct(activations, await reconstruct(compressed)));
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
            const model = await compressedModel(compressed, EXACT);
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
      const model = await compressedModel(compressed, EXACT);
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
        const model = await compressedModel(compressed, HALF);
        expect(model.proto.graph!.node.some(({ opType }) => opType === 'Cast')).toBe(false);
        expect(await distance(model, compressed, true)).toBeLessThan(1e-2);
        expect(storedBits(model)).toBe(storageBits(compressed));
      }
    }
  });

  it('sets the accuracy level of every product over codes', async () => {
    const format = { bits: 4, groupSize: 32, symmetric: true } as const;
    const [, corrected] = samples({ outFeatures: 64, inFeatures: 256 }, 64, format, seededRandom(8));
    const shipped = await compressedModel(corrected!, { ...EXACT, accuracyLevel: 4 });
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
      const { node: nodes, initializer } = (await compressedModel(compressed, EXACT)).proto.graph!;
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
      await expect(compressedModel(compressed, EXACT)).rejects.toMatchObject({ code });
    }
  });
});

describe('sparse dictionaries', () => {
  // Places that fill bytes, and that do not.
  it.each([
    [{ outFeatures: 16, inFeatures: 24, atomCount: 10 }, EXACT, 1e-6],
    [{ outFeatures: 7, inFeatures: 17, atomCount: 5 }, EXACT, 1e-6],
    [{ outFeatures: 33, inFeatures: 40, atomCount: 31 }, HALF, 3e-3],
  ] as const)('%o multiply like their reconstruction, in the bits that are counted', async (shape, options, limit) => {
    const compressed = randomDictionary(shape, seededRandom(5));
    const model = await compressedModel(compressed, options);
    expect(await distance(model, compressed, options === HALF)).toBeLessThan(limit);
    const stored = model.proto.graph!.initializer.filter(({ name }) => /_(mask|values|F16)$/.test(name));
    expect(stored.length).toBe(3);
    const bytes = stored.reduce(
      (sum, { dims, dataType }) => sum + Number(dims[0]! * (dims[1] ?? 1n)) * (dataType === DataType.FLOAT16 ? 2 : 1),
      0,
    );
    expect(8 * bytes).toBe(storageBits(compressed));
  });

  it.each([2, 3, 5, 8])('coefficients of %i bits multiply like their reconstruction', async bits => {
    for (const [options, limit] of [
      [EXACT, 1e-6],
      [HALF, 3e-3],
    ] as const) {
      const { left, ...others } = randomDictionary(
        { outFeatures: 13, inFeatures: 24, atomCount: 9 },
        seededRandom(bits),
      );
      if (left.kind !== 'sparse') throw new Error('not sparse');
      const codes = Uint8Array.from(left.values, (_, index) => (index * 37) % 2 ** bits);
      const scales = Float32Array.from({ length: 13 }, (_, row) => Math.f16round(0.1 + row / 16));
      const grid = {
        kind: 'sparseGrid',
        outFeatures: 13,
        inFeatures: 9,
        bits,
        mask: left.mask,
        codes,
        scales,
      } as const;
      const compressed = { ...others, left: grid };
      const model = await compressedModel(compressed, options);
      expect(await distance(model, compressed, options === HALF)).toBeLessThan(limit);
      const stored = model.proto.graph!.initializer.filter(({ name }) => /left.*_(mask|codes|scales)$/.test(name));
      const bytes = stored.reduce(
        (sum, own) => sum + Number(own.dims[0]!) * (own.dataType === DataType.FLOAT16 ? 2 : 1),
        0,
      );
      expect(8 * bytes).toBe(storageBits(grid));
    }
  });

  it('refuses values that do not fit the mask, and values that float16 does not hold', async () => {
    const compressed = randomDictionary({ outFeatures: 4, inFeatures: 6, atomCount: 3 }, seededRandom(6));
    if (compressed.left.kind !== 'sparse') throw new Error('not sparse');
    const short = { ...compressed, left: { ...compressed.left, values: compressed.left.values.slice(1) } };
    await expect(compressedModel(short, EXACT)).rejects.toMatchObject({ code: 'INVALID_SHAPE' });
    const fine = { ...compressed, left: { ...compressed.left, values: compressed.left.values.map(() => 0.1) } };
    await expect(compressedModel(fine, EXACT)).rejects.toMatchObject({ code: 'SOLVER_FAILED' });
  });
});

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
    const model = await compressedModel(compressed, options);
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
    const store = createWeightStore({ folder: folder.path, fileName: `old_${fileCount++}` });
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
      await expect(compressedModel(bad, EXACT)).rejects.toMatchObject({ code });
    }
  });
});
