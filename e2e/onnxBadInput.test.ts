import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createModel,
  DataType,
  externalInitializer,
  floatInitializer,
  type GraphProto,
  inlineInitializer,
  type NodeProto,
  node,
  type OnnxModel,
  serializeModel,
  type TensorProto,
  tensorInput,
} from '@quern/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { npyBytes } from '../packages/pipeline/src/testSupport/npyBytes.ts';
import { runQuern } from './runQuern.ts';

let folder = '';
let feeds = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-onnx-bad-'));
  feeds = join(folder, 'feeds');
  await mkdir(feeds);
  await writeFile(
    join(feeds, 'x.npy'),
    npyBytes(
      '<f4',
      [3, 4],
      Float32Array.from({ length: 12 }, (_, i) => i - 5),
    ),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** y = x W, and what a case puts around it. */
function product(
  weight: TensorProto,
  nodes: readonly NodeProto[] = [node('MatMul', ['x', 'fc.weight'], ['y'])],
): OnnxModel {
  return createModel({
    folder,
    inputs: [tensorInput('x', DataType.FLOAT, ['rows', 4])],
    outputs: [tensorInput('y', DataType.FLOAT, ['rows', 2])],
    initializers: [weight],
    nodes,
  });
}

const plainWeight = () => floatInitializer('fc.weight', [1, -2, 3, -4, 5, -6, 7, -8], [4, 2]);

async function save(name: string, model: OnnxModel): Promise<string> {
  const path = join(folder, `${name}.onnx`);
  await writeFile(path, serializeModel(model));
  return path;
}

/** Each run must name its error, exit with the code, print no stack trace and leave nothing behind. */
async function expectFailure(code: number, error: string, message: RegExp, ...args: readonly string[]): Promise<void> {
  const run = await runQuern('compress', ...args, '--out', join(folder, 'out', 'deep'), '--device', 'cpu');
  expect(run.stderr).toContain(`[${error}]`);
  expect(run.stderr).toMatch(message);
  expect(run.stderr).not.toMatch(/^\s+at /m);
  expect([run.code, run.stdout]).toEqual([code, '']);
  expect(await readdir(folder)).not.toContain('out');
}

describe('a graph that cannot be trusted', () => {
  const external = (location: string, offset: number, length: number) =>
    externalInitializer({ name: 'fc.weight', dataType: DataType.FLOAT, dims: [4, 2], location, offset, length });

  it('has weights outside of its folder', async () => {
    const path = await save('outside', product(external('../../etc/hostname', 0, 32)));
    await expectFailure(2, 'INVALID_EXTERNAL_DATA', /leaves the model's folder/, path);
  });

  it('has weights past the end of their file', async () => {
    await writeFile(join(folder, 'short.data'), new Uint8Array(40));
    const path = await save('past', product(external('short.data', 16, 32)));
    await expectFailure(2, 'INVALID_EXTERNAL_DATA', /ends at byte 48, the file has 40/, path);
  });

  it('has a shape that its bytes do not fill', async () => {
    const path = await save(
      'shape',
      product(inlineInitializer('fc.weight', DataType.FLOAT, [4, 2], new Uint8Array(28))),
    );
    await expectFailure(2, 'INVALID_ONNX', /holds 28 bytes; \[4, 2\] of FLOAT takes 32/, path);
  });

  it('claims 2 GB in a file of less than 1 KB', async () => {
    const path = await save(
      'claim',
      product(inlineInitializer('fc.weight', DataType.FLOAT, [4, 2 ** 27], new Uint8Array(8))),
    );
    expect((await readFile(path)).length).toBeLessThan(1024);
    await expectFailure(2, 'INVALID_ONNX', /takes 2147483648/, path);
  });

  it('nests sub-graphs deeper than any reader follows', async () => {
    let inner: GraphProto = product(plainWeight()).proto.graph!;
    for (let depth = 0; depth < 60; depth++) {
      const attributes = { then_branch: { graph: inner }, else_branch: { graph: inner } };
      // Sharing one graph keeps this small in memory; written out, only one branch may nest.
      const branch = { then_branch: attributes.then_branch };
      inner = product(plainWeight(), [node('If', ['x'], ['y'], { attributes: branch })]).proto.graph!;
    }
    const path = await save('deep', { folder, proto: Object.assign(product(plainWeight()).proto, { graph: inner }) });
    await expectFailure(2, 'INVALID_ONNX', /nests sub-graphs deeper/, path);
  });

  it('is cut in the middle', async () => {
    const bytes = serializeModel(product(plainWeight()));
    const path = join(folder, 'cut.onnx');
    await writeFile(path, bytes.subarray(0, bytes.length / 2));
    await expectFailure(2, 'INVALID_ONNX', /cut\.onnx/, path);
  });
});

describe('a model that reads no text', () => {
  it('needs feeds, or the word that there is nothing to measure', async () => {
    const path = await save('plain', product(plainWeight()));
    await expectFailure(2, 'INVALID_FEEDS', /its inputs are x\): pass --feeds <folder.*--evaluate none/, path);
    await expectFailure(2, 'INVALID_FEEDS', /--method rtn with --evaluate none/, path, '--evaluate', 'none');
    const out = join(folder, 'rtn');
    const run = await runQuern('compress', path, '--method', 'rtn', '--evaluate', 'none', '--out', out, '--json');
    expect(run.code).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ perplexity: null, outputs: null, sites: [{ nominalBits: 4 }] });
  });

  it('refuses feeds that do not fit its inputs', async () => {
    const path = await save('plain', product(plainWeight()));
    const wrong = join(folder, 'wrong');
    await mkdir(wrong);
    await writeFile(join(wrong, 'x.npy'), npyBytes('<f4', [3, 5], new Float32Array(15)));
    await expectFailure(2, 'INVALID_FEEDS', /shape \[3, 5\].*takes \[\?, 4\]/, path, '--feeds', wrong);
    await writeFile(join(wrong, 'x.npy'), npyBytes('<f4', [3, 4], new Float32Array(12)).subarray(0, 150));
    await expectFailure(2, 'INVALID_FEEDS', /It is damaged/, path, '--feeds', wrong);
    const planned = await runQuern('plan', path, '--feeds', wrong);
    expect([planned.code, planned.stdout]).toEqual([2, '']);
    await expectFailure(2, 'INVALID_OPTION', /both given/, path, '--feeds', feeds, '--calibration', 'stories');
  });

  it('has a layer in a sub-graph, where only solvers without activations reach', async () => {
    const branch = (name: string): GraphProto =>
      createModel({
        folder,
        graphName: name,
        inputs: [],
        outputs: [tensorInput(`${name}_y`, DataType.FLOAT, ['rows', 2])],
        initializers: [floatInitializer(`${name}.weight`, [1, -2, 3, -4, 5, -6, 7, -8], [4, 2])],
        nodes: [node('MatMul', ['x', `${name}.weight`], [`${name}_y`], { name: `/${name}/MatMul` })],
      }).proto.graph!;
    const attributes = { then_branch: { graph: branch('yes') }, else_branch: { graph: branch('no') } };
    const model = product(plainWeight(), [node('If', ['flag'], ['y'], { name: 'choice', attributes })]);
    model.proto.graph!.initializer = [];
    model.proto.graph!.input.push(tensorInput('flag', DataType.BOOL, []));
    const path = await save('branches', model);
    const samples = join(folder, 'branch-feeds');
    await mkdir(samples);
    const x = { dims: [1, 4], data: [1, 2, 3, 4] };
    for (const flag of [true, false]) await writeFile(join(samples, `${flag}.json`), JSON.stringify({ x, flag }));
    await expectFailure(2, 'INVALID_OPTION', /sub-graph.*--method rtn/, path, '--feeds', samples, '--method', 'gptq');
    const flags = ['--feeds', samples, '--method', 'rtn', '--bits', '8', '--accuracy-level', '0'];
    const run = await runQuern('compress', path, ...flags, '--out', join(folder, 'branches'), '--json');
    expect(run.code).toBe(0);
    const { sites, outputs } = JSON.parse(run.stdout) as {
      sites: unknown[];
      outputs: { relativeDifference: number }[];
    };
    expect(sites).toHaveLength(2);
    expect(outputs[0]!.relativeDifference).toBeGreaterThan(0);
    expect(outputs[0]!.relativeDifference).toBeLessThan(0.01);
  });

  it('overflows on its feeds', async () => {
    const large = floatInitializer('large', [3e38], []);
    const model = product(plainWeight(), [
      node('Mul', ['x', 'large'], ['h']),
      node('MatMul', ['h', 'fc.weight'], ['y']),
    ]);
    model.proto.graph!.initializer.push(large);
    const path = await save('overflow', model);
    await expectFailure(
      1,
      'NON_FINITE_ACTIVATION',
      /"h" is not finite in channel/,
      path,
      '--feeds',
      feeds,
      '--method',
      'gptq',
    );
  });
});
