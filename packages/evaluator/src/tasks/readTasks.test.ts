import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DATA_FOLDER, hasData } from '../testSupport/storyWindows.ts';
import { listTasks, loadTaskDefinition } from './loadTaskDefinition.ts';
import { parseTask } from './parseTask.ts';
import { parseTaskDefinition } from './taskDefinition.ts';

const line = (value: unknown) => JSON.stringify(value);
const choices = {
  id: 'own',
  title: 'Own',
  reader: 'choices',
  file: 'own',
  suffix: '\nAnswer:',
  delimiter: ' ',
} as const;

describe('parseTask', () => {
  it('puts answers behind one context, and counts their characters without the space before them', () => {
    const content = `${line({ query: 'Q', choices: ['né', 'a 🐈'], gold: 1 })}\n\n`;
    expect(parseTask(choices, content, 'x')).toEqual([
      {
        requests: [
          { context: 'Q\nAnswer:', continuation: ' né' },
          { context: 'Q\nAnswer:', continuation: ' a 🐈' },
        ],
        gold: 1,
        lengths: [2, 3],
      },
    ]);
  });

  it('puts one continuation behind several contexts', async () => {
    const content = line({ context_options: ['A so A', 'A so B'], continuation: 'won.', gold: 0 });
    expect(parseTask(await loadTaskDefinition('winogrande'), content, 'x')).toEqual([
      {
        requests: ['A so A', 'A so B'].map(context => ({ context, continuation: ' won.' })),
        gold: 0,
        lengths: null,
      },
    ]);
  });

  it.each([
    ['{', 'Line 1 of x is no JSON'],
    [line({ query: 'Q', choices: ['a', 'b'] }), 'Line 1 of x has no valid "gold"'],
    [line({ query: 'Q', choices: ['a', 'b'], gold: 2 }), 'answer 2 is right, but has 2'],
    [line({ query: 'Q', choices: ['a', ''], gold: 0 }), 'no valid "choices.1"'],
    [line({ context: 'a', continuation: 'b' }), 'no valid "query"'],
    ['\n', 'holds no items'],
  ])('refuses %s', (content, message) => {
    expect(() => parseTask(choices, content, 'x')).toThrow(message);
  });
});

describe('task definitions', () => {
  it('are known by their ids', async () => {
    for (const id of await listTasks()) expect((await loadTaskDefinition(id)).id).toBe(id);
    await expect(loadTaskDefinition('hellaswag')).rejects.toThrow(/no such task. Known: arc_challenge, arc_easy/);
  });

  it('refuse what they do not know', () => {
    expect(() => parseTaskDefinition('{"id": "a b"}', 'mine.json')).toThrow(/mine.json is no task: id/);
    expect(() => parseTaskDefinition(line({ ...choices, shots: 5 }), 'mine.json')).toThrow(/shots/);
  });
});

/** Lines as the README of the data counts them. */
const COUNTS: Readonly<Record<string, number>> = {
  arc_challenge: 1172,
  arc_easy: 2376,
  boolq: 3270,
  copa: 100,
  openbookqa: 500,
  piqa: 1838,
  winogrande: 1267,
  wsc273: 273,
  lambada_openai: 5153,
};

describe.skipIf(!hasData)('the public files', () => {
  it.each(Object.entries(COUNTS))('%s has %i items', async (id, count) => {
    const definition = await loadTaskDefinition(id);
    const paths = ['bench', 'text'].map(folder => join(DATA_FOLDER, folder, `${definition.file}.jsonl.gz`));
    const path = paths.find(existsSync)!;
    const items = parseTask(definition, gunzipSync(readFileSync(path)).toString(), path);
    expect(items.length).toBe(count);
    // No context ends with the space that belongs to its continuation, and none has a line too many.
    for (const { requests } of items) {
      for (const { context } of requests) expect(context.endsWith(' ') || context.includes('\n\nAnswer')).toBe(false);
    }
  });
});
