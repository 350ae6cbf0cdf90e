import { createModel, DataType, node, type OnnxModel, tensorInput } from '@quern/onnx';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { openSession } from './openSession.ts';
import { runSession } from './runSession.ts';
import { textFeeds } from './textFeeds.ts';

const cpu = { device: 'cpu', threads: 1 } as const;
const { BOOL, FLOAT, FLOAT16, INT32, INT64 } = DataType;
const text = ['batch_size', 'sequence_length'];

/** A graph that passes each of its inputs through, so that every feed is also read by ONNX Runtime. */
function echo(inputs: readonly (readonly [string, number, readonly (number | string)[]])[]): OnnxModel {
  return createModel({
    folder: '.',
    inputs: inputs.map(([name, type, dims]) => tensorInput(name, type, dims)),
    outputs: inputs.map(([name, type, dims]) => tensorInput(`${name}.echo`, type, dims)),
    nodes: inputs.map(([name]) => node('Identity', [name], [`${name}.echo`])),
  });
}

async function echoed(model: OnnxModel, batch: Parameters<typeof textFeeds>[1]) {
  const session = await openSession(model, cpu);
  const outputs = await runSession(session, textFeeds(session, batch), 'the model');
  await session.release();
  const entries = Object.entries(outputs).map(([name, { type, dims, data }]) => {
    return [name.replace('.echo', ''), { type, dims, data: Array.from(data as ArrayLike<number | bigint>, Number) }];
  });
  return Object.fromEntries(entries);
}

const batch = { ids: [Int32Array.of(7, 8, 9), Int32Array.of(4)], padId: 2 };

describe('textFeeds', () => {
  it('gives ids, mask and positions in the integers of the graph', async () => {
    const model = echo([
      ['input_ids', INT64, text],
      ['attention_mask', INT32, ['batch_size', 'total_sequence_length']],
      ['position_ids', INT64, text],
      ['token_type_ids', INT64, text],
      ['cache_position', INT64, ['sequence_length']],
    ]);
    expect(await echoed(model, batch)).toEqual({
      input_ids: { type: 'int64', dims: [2, 3], data: [7, 8, 9, 4, 2, 2] },
      attention_mask: { type: 'int32', dims: [2, 3], data: [1, 1, 1, 1, 1, 1] },
      position_ids: { type: 'int64', dims: [2, 3], data: [0, 1, 2, 0, 1, 2] },
      token_type_ids: { type: 'int64', dims: [2, 3], data: [0, 0, 0, 0, 0, 0] },
      cache_position: { type: 'int64', dims: [3], data: [0, 1, 2] },
    });
  });

  it('gives three rows of positions, logits to keep as a scalar or a vector, and the branch of merged decoders', async () => {
    const model = echo([
      ['input_ids', INT32, text],
      ['position_ids', INT64, [3, 'batch_size', 'sequence_length']],
      ['num_logits_to_keep', INT64, []],
      ['logits_to_keep', INT64, [1]],
      ['use_cache_branch', BOOL, [1]],
    ]);
    const feeds = await echoed(model, { ids: [Int32Array.of(7, 8)], keepLast: 1 });
    expect(feeds.position_ids).toEqual({ type: 'int64', dims: [3, 1, 2], data: [0, 1, 0, 1, 0, 1] });
    expect(feeds.num_logits_to_keep).toEqual({ type: 'int64', dims: [], data: [1] });
    expect(feeds.logits_to_keep.data).toEqual([1]);
    expect(feeds.use_cache_branch.data).toEqual([0]);
    expect((await echoed(model, { ids: [Int32Array.of(7, 8)] })).num_logits_to_keep.data).toEqual([2]);
  });

  it('starts caches of every layout and type empty, states of a fixed size at zero', async () => {
    const model = echo([
      ['input_ids', INT64, text],
      ['past_key_values.0.key', FLOAT, ['batch_size', 4, 'past_sequence_length', 8]],
      ['past_key_values.0.value', FLOAT16, ['batch_size', 4, 'past_sequence_length', 8]],
      ['past_0', FLOAT, [2, 'batch_size', 4, 'past_seq_len', 8]],
      ['past_1', FLOAT, ['n', 4, 'p', 8]],
      ['past_conv.0', FLOAT, ['batch_size', 3, 2]],
    ]);
    const feeds = await echoed(model, batch);
    expect(feeds['past_key_values.0.key']).toEqual({ type: 'float32', dims: [2, 4, 0, 8], data: [] });
    expect(feeds['past_key_values.0.value']).toEqual({ type: 'float16', dims: [2, 4, 0, 8], data: [] });
    expect(feeds.past_0.dims).toEqual([2, 2, 4, 0, 8]);
    expect(feeds.past_1.dims).toEqual([2, 4, 0, 8]);
    expect(feeds['past_conv.0']).toEqual({ type: 'float32', dims: [2, 3, 2], data: new Array(12).fill(0) });
  });

  it('goes on after a past: positions and mask count it', async () => {
    const model = echo([
      ['input_ids', INT64, text],
      ['attention_mask', INT64, ['batch_size', 'total_sequence_length']],
      ['position_ids', INT64, text],
      ['past_key_values.0.key', FLOAT, ['batch_size', 'past_sequence_length']],
      ['use_cache_branch', BOOL, [1]],
    ]);
    const values = { 'past_key_values.0.key': new Tensor('float32', Float32Array.of(1, 2, 3), [1, 3]) };
    const feeds = await echoed(model, { ids: [Int32Array.of(5, 6)], past: { length: 3, values } });
    expect(feeds.attention_mask.data).toEqual([1, 1, 1, 1, 1]);
    expect(feeds.position_ids.data).toEqual([3, 4]);
    expect(feeds['past_key_values.0.key'].data).toEqual([1, 2, 3]);
    expect(feeds.use_cache_branch.data).toEqual([1]);
  });

  it('names what a text does not give', async () => {
    const withImage = await openSession(
      echo([
        ['input_ids', INT64, text],
        ['pixel_values', FLOAT, ['batch_size', 3, 224, 224]],
      ]),
      cpu,
    );
    expect(() => textFeeds(withImage, batch)).toThrow(/"pixel_values" \[batch_size, 3, 224, 224\]/);
    const others = { pixel_values: new Tensor('float32', new Float32Array(0), [0, 3, 224, 224]) };
    expect(textFeeds(withImage, { ...batch, others }).pixel_values).toBe(others.pixel_values);
    const embeds = await openSession(echo([['inputs_embeds', FLOAT, ['batch_size', 'sequence_length', 8]]]), cpu);
    expect(() => textFeeds(embeds, batch)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_MODEL' }));
    const odd = await openSession(
      echo([
        ['input_ids', INT64, text],
        ['past_0', DataType.INT8, ['batch_size', 'past']],
      ]),
      cpu,
    );
    expect(() => textFeeds(odd, batch)).toThrow(/"past_0" holds int8/);
  });
});
