import { copyFile, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findBlockCuts, findEmbeddings, findLinearSites, readWeight, serializeModel } from '@quern/onnx';
import { describe, expect, test } from 'vitest';
import { importCheckpoint } from './importCheckpoint.ts';
import { largestDifference } from './testSupport/largestDifference.ts';
import { naiveDecoder } from './testSupport/naiveDecoder.ts';
import { logitsAt, openDecoder } from './testSupport/openDecoder.ts';
import { randomCheckpoint } from './testSupport/randomCheckpoint.ts';
import { rawConfig } from './testSupport/rawConfig.ts';
import { temporaryFolder } from './testSupport/temporaryFolder.ts';
import type { TensorBytes } from './testSupport/writeSafetensors.ts';

const QUERY = 'model.layers.1.self_attn.q_proj.weight';

describe('the graph', () => {
  test('declares the inputs and outputs of a decoder with cache', async () => {
    const { folder } = await randomCheckpoint(rawConfig({ num_hidden_layers: 1 }));
    const { model } = await importCheckpoint(folder, { dtype: 'fp16' });
    const graph = model.proto.graph!;
    const described = (values: typeof graph.input) =>
      values.map(({ name, type }) => {
        const tensor = type!.value.case === 'tensorType' ? type!.value.value : undefined;
        return [name, tensor?.elemType, ...tensor!.shape!.dim.map(dim => String(dim.value.value))];
      });
    const past = ['batch_size', '2', 'past_sequence_length', '16'];
    const present = ['batch_size', '2', 'total_sequence_length', '16'];
    expect(described(graph.input)).toEqual([
      ['input_ids', 7, 'batch_size', 'sequence_length'],
      ['attention_mask', 7, 'batch_size', 'total_sequence_length'],
      ['past_key_values.0.key', 10, ...past],
      ['past_key_values.0.value', 10, ...past],
    ]);
    expect(described(graph.output)).toEqual([
      ['logits', 1, 'batch_size', 'sequence_length', '37'],
      ['present.0.key', 10, ...present],
      ['present.0.value', 10, ...present],
    ]);
    expect(graph.name).toBe('main_graph');
    expect(model.proto.irVersion).toBe(10n);
    expect(model.proto.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([
      ['', 21n],
      ['com.microsoft', 1n],
    ]);
  });

  test('names nodes and weights as other exporters do, each node once', async () => {
    const { folder } = await randomCheckpoint(rawConfig({ num_hidden_layers: 2 }));
    const { model } = await importCheckpoint(folder, { dtype: 'fp32' });
    const { node, initializer } = model.proto.graph!;
    const names = node.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const modules = ['attn/q_proj', 'attn/k_proj', 'attn/v_proj', 'attn/o_proj'];
    modules.push('mlp/gate_proj', 'mlp/up_proj', 'mlp/down_proj');
    const wanted = [0, 1].flatMap(block => modules.map(module => `/model/layers.${block}/${module}/MatMul`));
    expect(names).toEqual(expect.arrayContaining([...wanted, '/lm_head/MatMul', '/model/embed_tokens/Gather']));
    expect(initializer.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'model.embed_tokens.weight',
        'lm_head.MatMul.weight',
        ...wanted.map(name => `${name.slice(1).replaceAll('/', '.')}.weight`),
      ]),
    );
  });

  test.each([true, false])('offers its weights to the finders of sites, tied: %s', async tied => {
    const changes = { num_hidden_layers: 2, tie_word_embeddings: tied };
    const { folder, weights } = await randomCheckpoint(rawConfig(changes), { dtype: 'BF16' });
    const { model } = await importCheckpoint(folder, { dtype: 'fp32' });
    const sites = findLinearSites(model);
    const modules = ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj', 'self_attn.o_proj'];
    modules.push('mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj');
    const stored = [0, 1].flatMap(block => modules.map(module => `model.layers.${block}.${module}`));
    expect(sites.map(({ name, block }) => [name, block])).toEqual([
      ...stored.map((name, index) => [name.replace('self_attn', 'attn'), Math.floor(index / modules.length)]),
      ['lm_head', null],
    ]);
    for (const [index, name] of stored.entries()) {
      expect([...(await readWeight(model, sites[index]!)).data]).toEqual([...weights.get(`${name}.weight`)!]);
    }
    const [embedding, ...others] = findEmbeddings(model);
    expect(others).toEqual([]);
    expect([embedding?.gatherNode, embedding?.tiedHead?.name]).toEqual([
      '/model/embed_tokens/Gather',
      tied ? 'lm_head' : undefined,
    ]);
    expect(findBlockCuts(model)?.map(({ block }) => block)).toEqual([0, 1]);
  });

  test('holds no weight, whatever the size of the file', async () => {
    const small = await randomCheckpoint(rawConfig({ hidden_size: 16, vocab_size: 20 }));
    const large = await randomCheckpoint(rawConfig({ hidden_size: 512, vocab_size: 900 }));
    const headers = await Promise.all(
      [small, large].map(async ({ folder }) => {
        const { model } = await importCheckpoint(folder, { dtype: 'fp32' });
        return serializeModel(model).length;
      }),
    );
    expect(headers[1]! - headers[0]!).toBeLessThan(500);
  });
});

test('a tied model may store its one table as lm_head.weight', async () => {
  const rename = (tensors: TensorBytes[]) =>
    tensors.map(tensor =>
      tensor.name === 'model.embed_tokens.weight' ? { ...tensor, name: 'lm_head.weight' } : tensor,
    );
  const { folder, config, weights } = await randomCheckpoint(rawConfig({ tie_word_embeddings: true }), {
    edit: rename,
  });
  const run = await openDecoder(await importCheckpoint(folder, { dtype: 'fp32' }));
  const state = await run([[1, 2, 3]]);
  expect(largestDifference(logitsAt(state, 0, 2), naiveDecoder(config, weights, [1, 2, 3])[2]!)).toBeLessThan(1e-4);
});

test('old rotary frequencies in the file are no obstacle', async () => {
  const extra = { name: 'model.layers.0.self_attn.rotary_emb.inv_freq', dtype: 'F32', shape: [8] };
  const edit = (tensors: TensorBytes[]) => [...tensors, { ...extra, bytes: new Uint8Array(32) }];
  const { folder } = await randomCheckpoint(rawConfig(), { edit });
  await expect(importCheckpoint(folder, { dtype: 'fp32' })).resolves.toBeDefined();
});

test('runs from a folder of links, such as a download cache keeps', async () => {
  const real = await randomCheckpoint(rawConfig());
  const links = await temporaryFolder();
  await copyFile(join(real.folder, 'config.json'), join(links, 'config.json'));
  await symlink(join(real.folder, 'model.safetensors'), join(links, 'model.safetensors'));
  const run = await openDecoder(await importCheckpoint(links, { dtype: 'fp32' }));
  const expected = naiveDecoder(real.config, real.weights, [4, 5]);
  expect(largestDifference(logitsAt(await run([[4, 5]]), 0, 1), expected[1]!)).toBeLessThan(1e-4);
});

describe('refuses', () => {
  const change = (name: string, changes: Partial<TensorBytes>) => (tensors: TensorBytes[]) =>
    tensors.map(tensor => (tensor.name === name ? { ...tensor, ...changes } : tensor));

  test.each<[string, (tensors: TensorBytes[]) => TensorBytes[], string, RegExp]>([
    [
      'a missing tensor',
      tensors => tensors.filter(({ name }) => name !== QUERY),
      'MISSING_TENSOR',
      /no tensor model\.layers\.1\.self_attn\.q_proj\.weight \[64, 24\]/,
    ],
    [
      'a head that is neither stored nor tied',
      tensors => tensors.filter(({ name }) => name !== 'lm_head.weight'),
      'MISSING_TENSOR',
      /lm_head\.weight.*tie_word_embeddings/,
    ],
    [
      'a wrong shape',
      change(QUERY, { shape: [24, 64] }),
      'INVALID_SHAPE',
      /q_proj\.weight is \[24, 64\], config\.json calls for \[64, 24\]/,
    ],
    ['a shape of another rank', change(QUERY, { shape: [64 * 24] }), 'INVALID_SHAPE', /q_proj\.weight is \[1536\]/],
    [
      'an element type that is no weight',
      change(QUERY, { dtype: 'F8_E4M3', bytes: new Uint8Array(64 * 24) }),
      'UNSUPPORTED_MODEL',
      /q_proj\.weight is stored as F8_E4M3; supported: F32, F16, BF16/,
    ],
    [
      'a tensor that no node would read',
      tensors => [...tensors, { name: `${QUERY.slice(0, -6)}bias`, dtype: 'U8', shape: [1], bytes: new Uint8Array(1) }],
      'UNSUPPORTED_MODEL',
      /1 tensors have no place in LlamaForCausalLM.*q_proj\.bias/,
    ],
  ])('%s', async (_, edit, code, message) => {
    const { folder } = await randomCheckpoint(rawConfig(), { edit });
    await expect(importCheckpoint(folder, { dtype: 'fp32' })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('a file that is cut off, naming the tensor', async () => {
    const { folder } = await randomCheckpoint(rawConfig());
    await truncate(join(folder, 'model.safetensors'), 40_000);
    await expect(importCheckpoint(folder, { dtype: 'fp32' })).rejects.toMatchObject({
      code: 'INVALID_SAFETENSORS',
      message: expect.stringMatching(/tensor model\.layers\.\d\..* ends at byte \d+ but the file has 40000/),
    });
  });

  test('a missing shard', async () => {
    const { folder } = await randomCheckpoint(rawConfig(), { shards: 2 });
    await unlink(join(folder, 'model-00001-of-00002.safetensors'));
    await expect(importCheckpoint(folder, { dtype: 'fp32' })).rejects.toMatchObject({ code: 'MISSING_TENSOR' });
  });

  test('a folder that does not exist', async () => {
    const folder = join(await temporaryFolder(), 'nowhere');
    await expect(importCheckpoint(folder, { dtype: 'fp32' })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  test('a config that is garbage', async () => {
    const { folder } = await randomCheckpoint(rawConfig());
    await writeFile(join(folder, 'config.json'), '\0\x01garbage');
    await expect(importCheckpoint(folder, { dtype: 'fp32' })).rejects.toMatchObject({ code: 'INVALID_CONFIG' });
  });
});
