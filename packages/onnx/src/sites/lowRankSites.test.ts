import { join } from 'node:path';
import type { CompressedWeight, LinearSite } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { floatInitializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import type { NodeProto, TensorProto } from '../generated/onnx_pb.js';
import type { OnnxModel } from '../onnxModel.ts';
import { readOnnxModel } from '../read/readOnnxModel.ts';
import { randomDense, randomFloats, randomLowRank, seededRandom } from '../testing/sampleWeights.ts';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { copyRemaining } from '../write/copyRemaining.ts';
import { replaceSite } from '../write/replaceSite.ts';
import { createWeightStore } from '../write/weightStore.ts';
import { writeOnnxModel } from '../write/writeOnnxModel.ts';
import { activationTypeOf } from './activationTypeOf.ts';
import { canCapture } from './canCapture.ts';
import { findBlockCuts } from './findBlockCuts.ts';
import { findEmbeddings } from './findEmbeddings.ts';
import { findLinearSites } from './findLinearSites.ts';
import { isQuantized } from './isQuantized.ts';
import { readWeight } from './readWeight.ts';

const folder = scratchFolder();
let fileCount = 0;

const HIDDEN = 24;
const INNER = 40;
const VOCABULARY = 30;
const BLOCKS = 3;

/** What tells the block: the names of nodes, of weights, of outputs, or the structure alone. */
type Telling = 'nodes' | 'weights' | 'outputs' | 'nothing';

/** ids -> Gather -> 3 x (h + relu(h up) down) -> MatMul by the transposed table. */
function residualModel(telling: Telling): OnnxModel {
  const random = seededRandom(1);
  const nodes: NodeProto[] = [node('Gather', ['table', 'input_ids'], ['h0'])];
  const initializers: TensorProto[] = [
    floatInitializer('table', randomFloats(VOCABULARY * HIDDEN, random), [VOCABULARY, HIDDEN]),
  ];
  const product = (block: number, part: string, input: string, dims: [number, number]): string => {
    const path = `layers.${block}.${part}`;
    const count = initializers.length;
    const weight = telling === 'weights' ? `${path}.weight` : `onnx::MatMul_${count}`;
    const output = telling === 'outputs' ? `/layers.${block}/${part}/out` : `v${count}`;
    initializers.push(floatInitializer(weight, randomFloats(dims[0] * dims[1], random), dims));
    const name = telling === 'nodes' ? `/layers.${block}/${part}/MatMul` : `MatMul_${count}`;
    nodes.push(node('MatMul', [input, weight], [output], { name }));
    return output;
  };
  for (let block = 0; block < BLOCKS; block++) {
    const up = product(block, 'up', `h${block}`, [HIDDEN, INNER]);
    nodes.push(node('Relu', [up], [`r${block}`]));
    const down = product(block, 'down', `r${block}`, [INNER, HIDDEN]);
    nodes.push(node('Add', [`h${block}`, down], [`h${block + 1}`]));
  }
  nodes.push(node('Transpose', ['table'], ['table_t'], { attributes: { perm: { ints: [1, 0] } } }));
  nodes.push(node('MatMul', [`h${BLOCKS}`, 'table_t'], ['logits'], { name: '/lm_head/MatMul' }));
  return createModel({
    folder: folder.path,
    inputs: [tensorInput('input_ids', DataType.INT64, ['batch', 'tokens'])],
    outputs: [tensorInput('logits', DataType.FLOAT, ['batch', 'tokens', VOCABULARY])],
    initializers,
    nodes,
  });
}

/** Compresses sites, writes the model and reads it again. */
async function written(model: OnnxModel, compress: (site: LinearSite, index: number) => CompressedWeight | null) {
  const name = `factors_${fileCount++}.onnx`;
  const store = createWeightStore({ folder: folder.path, fileName: `${name}_data` });
  const options = { accuracyLevel: 0, activationType: 'float32' } as const;
  for (const [index, site] of findLinearSites(model).entries()) {
    const compressed = compress(site, index);
    if (compressed) await replaceSite(model, { ...options, site, compressed }, store);
  }
  await copyRemaining(model, store, { fold: false });
  await store.close();
  await writeOnnxModel(model, join(folder.path, name));
  return readOnnxModel(join(folder.path, name));
}

const DENSE = { bits: 16, groupSize: 'channel', symmetric: true } as const;

describe('a written low-rank model', () => {
  for (const telling of ['nodes', 'weights', 'outputs', 'nothing'] as const) {
    it(`lists both factors of every site with its block, told by ${telling}`, async () => {
      const original = residualModel(telling);
      const before = findLinearSites(original);
      expect(before.map(({ block }) => block)).toEqual([0, 0, 1, 1, 2, 2, null]);
      const cuts = findBlockCuts(original);
      const random = seededRandom(2);
      // Every site has a rank of its own, one stays dense, and so does the head.
      const weights = before.map((site, index) =>
        index === 3 || site.block === null ? null : randomLowRank({ ...site, rank: 2 + index }, DENSE, random),
      );
      const model = await written(original, (_, index) => weights[index]!);
      const sites = findLinearSites(model);
      const expected = before.flatMap((site, index) => {
        const weight = weights[index];
        if (!weight) return [{ block: site.block, outFeatures: site.outFeatures, inFeatures: site.inFeatures }];
        return [weight.right, weight.left].map(({ outFeatures, inFeatures }) => ({
          block: site.block,
          outFeatures,
          inFeatures,
        }));
      });
      expect(sites).toMatchObject(expected);
      expect(new Set(sites.map(({ name }) => name)).size).toBe(sites.length);
      expect(findBlockCuts(model)).toEqual(cuts);
      expect(isQuantized(model)).toBeNull();
      const { right, left } = weights[0]!;
      expect((await readWeight(model, sites[0]!)).data).toEqual(right.kind === 'dense' && right.data);
      expect((await readWeight(model, sites[1]!)).data).toEqual(left.kind === 'dense' && left.data);
      for (const site of sites) {
        expect(activationTypeOf(model, site)).toBe('float32');
        expect(canCapture(model, site)).toBe(true);
      }
      if (telling === 'nodes' || telling === 'weights') {
        expect(sites.slice(0, 2).map(({ name }) => name)).toEqual(['layers.0.up.right', 'layers.0.up.left']);
      }
    });
  }

  it('can be compressed again, factor by factor', async () => {
    const random = seededRandom(3);
    const factorize = (site: LinearSite) =>
      site.block === null ? null : randomLowRank({ ...site, rank: 2 }, DENSE, random);
    for (const telling of ['nodes', 'nothing'] as const) {
      const once = await written(residualModel(telling), factorize);
      const twice = await written(once, factorize);
      const sites = findLinearSites(twice);
      expect(sites.map(({ block }) => block)).toEqual(
        [0, 1, 2, null].flatMap(block => Array(block === null ? 1 : 8).fill(block)),
      );
      expect(new Set(sites.map(({ name }) => name)).size).toBe(25);
    }
  });

  it('keeps the table of a tied head that got factors of its own', async () => {
    const random = seededRandom(4);
    const headOnly = (site: LinearSite) =>
      site.block === null ? randomLowRank({ ...site, rank: 5 }, DENSE, random) : null;
    const model = await written(residualModel('nodes'), headOnly);
    expect(findEmbeddings(model)).toMatchObject([{ weightName: 'table', tiedHead: null }]);
    expect(model.proto.graph!.initializer.map(({ name }) => name)).toContain('table');
    expect(
      findLinearSites(model)
        .map(({ name }) => name)
        .slice(-2),
    ).toEqual(['lm_head.right', 'lm_head.left']);
    expect(findBlockCuts(model)).toEqual(findBlockCuts(residualModel('nodes')));
  });

  it('keeps names and blocks of weights rounded to float16', async () => {
    for (const telling of ['nodes', 'weights', 'nothing'] as const) {
      const before = findLinearSites(residualModel(telling));
      const random = seededRandom(5);
      const model = await written(residualModel(telling), site =>
        site.block === null ? null : randomDense(site.outFeatures, site.inFeatures, random),
      );
      const named = ({ name, block }: LinearSite) => (telling === 'nothing' ? block : [name, block]);
      expect(findLinearSites(model).map(named)).toEqual(before.map(named));
    }
  });
});
