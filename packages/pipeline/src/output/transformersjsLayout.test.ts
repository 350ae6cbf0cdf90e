import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { transformersjsDtype, transformersjsGraphName, writeTransformersjsLayout } from './transformersjsLayout.ts';

let source = '';
let target = '';
beforeEach(async () => {
  const base = await mkdtemp(join(tmpdir(), 'quern-layout-'));
  source = join(base, 'source');
  target = join(base, 'target');
  await mkdir(source);
});
afterEach(() => rm(join(source, '..'), { recursive: true, force: true }));

// The names that transformers.js asks for: dtype of `pipeline(...)` and file in onnx/.
it.each([
  [4, 'fp32', 'q4', 'model_q4.onnx'],
  [4, 'fp16', 'q4f16', 'model_q4f16.onnx'],
  [2, 'fp32', 'q2', 'model_q2.onnx'],
  [8, 'fp32', 'q8', 'model_quantized.onnx'],
  [8, 'fp16', 'q8', 'model_quantized.onnx'],
  [null, 'fp32', 'fp32', 'model.onnx'],
  [null, 'fp16', 'fp16', 'model_fp16.onnx'],
] as const)('%s bits in %s arithmetic are %s', (bits, arithmetic, dtype, file) => {
  expect(transformersjsDtype(bits, arithmetic)).toBe(dtype);
  expect(transformersjsGraphName(dtype)).toBe(file);
});

it('takes along what a user of the result needs, and nothing else', async () => {
  const wanted = [
    'LICENSE',
    'NOTICE.txt',
    'README.md',
    'chat_template.jinja',
    'generation_config.json',
    'tokenizer.json',
  ];
  for (const name of [...wanted, 'model.safetensors', 'optimizer.pt', 'my-tokenizer.json', '.env']) {
    await writeFile(join(source, name), name);
  }
  await writeTransformersjsLayout({ source, target, dtype: 'q4', contextLength: null, chunkCount: 1 });
  expect((await readdir(target)).sort()).toEqual(wanted);
  expect(await readFile(join(target, 'LICENSE'), 'utf8')).toBe('LICENSE');
});

it('tells the client in config.json which graph to load and how many data files it has', async () => {
  const config = { model_type: 'llama', 'transformers.js_config': { kv_cache_dtype: 'float16', dtype: 'fp32' } };
  await writeFile(join(source, 'config.json'), JSON.stringify(config));
  await writeTransformersjsLayout({ source, target, dtype: 'q4f16', contextLength: null, chunkCount: 3 });
  expect(JSON.parse(await readFile(join(target, 'config.json'), 'utf8'))).toEqual({
    model_type: 'llama',
    'transformers.js_config': {
      kv_cache_dtype: 'float16',
      dtype: 'q4f16',
      use_external_data_format: { 'model_q4f16.onnx': 3 },
    },
  });
  expect(JSON.parse(await readFile(join(source, 'config.json'), 'utf8'))).toEqual(config);
});

it('writes nothing for a model without a folder of its own', async () => {
  await writeTransformersjsLayout({ source: null, target, dtype: 'q4', contextLength: null, chunkCount: 1 });
  await expect(readdir(target)).rejects.toMatchObject({ code: 'ENOENT' });
});

it('tells a context that is shorter than that of the original, and leaves a longer one', async () => {
  const contextOf = async (contextLength: number | null) => {
    await writeFile(join(source, 'config.json'), '{"max_position_embeddings": 128}');
    await writeTransformersjsLayout({ source, target, dtype: 'q4', contextLength, chunkCount: 1 });
    return JSON.parse(await readFile(join(target, 'config.json'), 'utf8')).max_position_embeddings;
  };
  expect([await contextOf(null), await contextOf(64), await contextOf(256)]).toEqual([128, 64, 128]);
});
