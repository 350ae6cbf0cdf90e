import { createModel, DataType, tensorInput } from '@quern/onnx';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { addBatchLayout } from './addBatchLayout.ts';
import { graphDraft } from './graphDraft.ts';
import { importCheckpoint } from './importCheckpoint.ts';
import { largestDifference } from './testSupport/largestDifference.ts';
import { type DecoderRun, logitsAt, openDecoder, openModel } from './testSupport/openDecoder.ts';
import { randomCheckpoint } from './testSupport/randomCheckpoint.ts';
import { GEMMA3, PHI3, type RawConfig, rawConfig, SMOLLM3 } from './testSupport/rawConfig.ts';

async function layoutOf(ids: number[][], mask: number[][]): Promise<Record<string, number[]>> {
  const draft = graphDraft(DataType.FLOAT);
  const layout = addBatchLayout(draft);
  const outputs = Object.entries(layout).map(([key, value]) => {
    const wide = key === 'insideOrder' || key === 'positionIds' || key === 'callerOrder';
    const dims = wide ? ['b', 's'] : key === 'lastKeyIndex' ? ['b'] : [];
    return tensorInput(value, wide ? DataType.INT64 : DataType.INT32, dims);
  });
  const inputs = [
    tensorInput('input_ids', DataType.INT64, ['b', 's']),
    tensorInput('attention_mask', DataType.INT64, ['b', 't']),
  ];
  const { nodes, initializers } = draft;
  const session = await openModel(createModel({ folder: '.', nodes, initializers, inputs, outputs }));
  const integers = (rows: number[][]) =>
    new Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0]!.length]);
  const results = await session.run({ input_ids: integers(ids), attention_mask: integers(mask) });
  return Object.fromEntries(
    Object.entries(layout).map(([key, value]) => [key, Array.from(results[value]!.data as Int32Array, Number)]),
  );
}

describe('layout', () => {
  test('a prompt padded on the left, on the right and not at all', async () => {
    const ids = [
      [0, 0, 5, 6],
      [7, 8, 9, 0],
      [1, 2, 3, 4],
    ];
    const mask = [
      [0, 0, 1, 1],
      [1, 1, 1, 0],
      [1, 1, 1, 1],
    ];
    expect(await layoutOf(ids, mask)).toEqual({
      insideOrder: [2, 3, 0, 1, 4, 5, 6, 7, 8, 9, 10, 11],
      positionIds: [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3],
      lastKeyIndex: [3, 3, 3],
      totalLength: [4],
      callerOrder: [2, 3, 0, 1, 4, 5, 6, 7, 8, 9, 10, 11],
    });
  });

  test('one leading pad of three: the two orders are inverse, not equal', async () => {
    const { insideOrder, callerOrder } = await layoutOf(
      [
        [1, 2, 3],
        [0, 5, 6],
      ],
      [
        [1, 1, 1],
        [0, 1, 1],
      ],
    );
    expect(insideOrder).toEqual([0, 1, 2, 4, 5, 3]);
    expect(callerOrder).toEqual([0, 1, 2, 5, 3, 4]);
  });

  test('one new token after rows of 1, 2 and 3', async () => {
    const mask = [
      [0, 0, 1, 1],
      [1, 1, 0, 1],
      [1, 1, 1, 1],
    ];
    expect(await layoutOf([[5], [6], [7]], mask)).toEqual({
      insideOrder: [0, 1, 2],
      positionIds: [1, 2, 3],
      lastKeyIndex: [1, 2, 3],
      totalLength: [4],
      callerOrder: [0, 1, 2],
    });
  });

  test('a second chunk of a single row, its end padded', async () => {
    expect(await layoutOf([[5, 6, 0]], [[1, 1, 1, 1, 1, 1, 0]])).toEqual({
      insideOrder: [0, 1, 2],
      positionIds: [4, 5, 6],
      lastKeyIndex: [6],
      totalLength: [7],
      callerOrder: [0, 1, 2],
    });
  });
});

const STEPS = 20;
const PROMPTS = [
  [3, 14, 15, 9, 26, 5, 35, 8, 9, 7],
  [2, 7, 18],
  [31, 4, 1, 5, 9, 2, 6],
];
const PAD = 36;

const variants: [string, Partial<RawConfig>][] = [
  ['heads of 8, rotated outside attention', { head_dim: 8 }],
  ['heads of 16, rotated inside attention', { head_dim: 16 }],
  [
    'a sliding window of 4',
    { architectures: ['MistralForCausalLM'], model_type: 'mistral', sliding_window: 4, head_dim: 16 },
  ],
  ['windows in some blocks, which turn otherwise', { ...GEMMA3, sliding_window: 4 }],
  ['a block that does not turn', SMOLLM3],
  ['half of a head turned', { ...PHI3, rope_scaling: null, partial_rotary_factor: 0.5 }],
];

describe.each(variants)('%s', (_, changes) => {
  test.each(['left', 'right'] as const)('a batch padded on the %s equals each prompt alone', async side => {
    const run = await openTestDecoder(changes);
    const width = Math.max(...PROMPTS.map(prompt => prompt.length));
    const padded = (row: readonly number[], filler: number) => {
      const filling = Array.from({ length: width - row.length }, () => filler);
      return side === 'left' ? [...filling, ...row] : [...row, ...filling];
    };
    const ids = PROMPTS.map(prompt => padded(prompt, PAD));
    const masks = PROMPTS.map(prompt =>
      padded(
        prompt.map(() => 1),
        0,
      ),
    );
    let batch = await run(ids, { masks });
    const alone = await Promise.all(PROMPTS.map(prompt => run([prompt])));

    for (const [row, prompt] of PROMPTS.entries()) {
      for (const token of prompt.keys()) {
        const column = side === 'left' ? token + width - prompt.length : token;
        expectSame(logitsAt(batch, row, column), logitsAt(alone[row]!, 0, token));
      }
    }
    let next = PROMPTS.map((prompt, row) => largest(logitsAt(alone[row]!, 0, prompt.length - 1)));
    for (let step = 0; step < STEPS; step++) {
      batch = await run(
        next.map(id => [id]),
        { after: batch },
      );
      for (const [row, id] of next.entries()) {
        alone[row] = await run([[id]], { after: alone[row]! });
        expectSame(logitsAt(batch, row, 0), logitsAt(alone[row]!, 0, 0));
      }
      next = alone.map(state => largest(logitsAt(state, 0, 0)));
      expect(PROMPTS.map((_prompt, row) => largest(logitsAt(batch, row, 0)))).toEqual(next);
    }
  });

  test('results for padding are finite', async () => {
    const run = await openTestDecoder(changes);
    const masks = [
      [0, 0, 0, 1],
      [1, 0, 0, 0],
      [0, 0, 0, 0],
    ];
    const { logits } = await run(
      masks.map(mask => mask.map(() => PAD)),
      { masks },
    );
    expect((logits.data as Float32Array).every(Number.isFinite)).toBe(true);
  });

  test('a prompt in chunks, the last one padded, equals the prompt at once', async () => {
    const run = await openTestDecoder(changes);
    const whole = [...PROMPTS[0]!, ...PROMPTS[2]!];
    const expected = await run([whole]);
    const first = await run([whole.slice(0, 6)]);
    const second = await run([whole.slice(6, 11)], { after: first });
    const padded = [[...whole.slice(11), PAD, PAD]];
    const third = await run(padded, { after: second, masks: [[...whole.slice(11).map(() => 1), 0, 0]] });
    for (let token = 0; token < whole.length; token++) {
      const [state, start] = token < 6 ? [first, 0] : token < 11 ? [second, 6] : [third, 11];
      expectSame(logitsAt(state, 0, token - start), logitsAt(expected, 0, token));
    }
    const afterWhole = await run([[12]], { after: expected });
    const afterChunks = await run([[12]], { after: third });
    expectSame(logitsAt(afterChunks, 0, 0), logitsAt(afterWhole, 0, 0));
  });
});

async function openTestDecoder(changes: Partial<RawConfig>): Promise<DecoderRun> {
  const { folder } = await randomCheckpoint(rawConfig(changes));
  return openDecoder(await importCheckpoint(folder, { dtype: 'fp32' }));
}

function expectSame(actual: Float32Array, expected: Float32Array): void {
  expect(largestDifference(actual, expected)).toBeLessThan(1e-4);
}

function largest(logits: Float32Array): number {
  return logits.indexOf(Math.max(...logits));
}
