import { CompressionError } from '@quern/core';
import { z } from 'zod';
import type { TaskDefinition } from './taskDefinition.ts';
import type { TaskItem } from './taskItem.ts';

const text = z.string();
const index = z.int().nonnegative();
const answers = z.array(text.min(1)).min(2);
const choicesRow = z.object({ query: text, choices: answers, gold: index });
const contextsRow = z.object({ context_options: answers, continuation: text.min(1), gold: index });
const lastWordRow = z.object({ context: text, continuation: text.min(1) });

/**
 * The items of a task's JSON lines, in their order. Three forms:
 *
 * - `choices`: `query`, `choices`, `gold`; the context is the same, the continuations are compared.
 * - `contexts`: `context_options`, `continuation`, `gold`; the continuation is the same (partial evaluation, Trinh & Le,
 *   arXiv:1806.02847).
 * - `lastWord`: `context`, `continuation`; one request, greedy or not.
 *
 * `path` is named in errors. Errors: INVALID_DATA_SET with the line and the field.
 */
export function parseTask(definition: TaskDefinition, content: string, path: string): TaskItem[] {
  const lines = content.split('\n').map((line, at) => ({ line, number: at + 1 }));
  const items = lines
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, number }) => READERS[definition.reader](parseJson(line, number, path), definition, { number, path }));
  if (items.length > 0) return items;
  throw new CompressionError('INVALID_DATA_SET', `${path} holds no items. Name the JSON lines of ${definition.id}.`, {
    path,
  });
}

interface Place {
  readonly number: number;
  readonly path: string;
}

const READERS: Readonly<
  Record<TaskDefinition['reader'], (row: unknown, definition: TaskDefinition, place: Place) => TaskItem>
> = {
  choices: (row, { suffix, delimiter }, place) => {
    const { query, choices, gold } = check(choicesRow, row, place);
    const requests = choices.map(choice => ({ context: query + suffix, continuation: delimiter + choice }));
    return { requests, gold: goldOf(gold, choices, place), lengths: choices.map(choice => [...choice].length) };
  },
  contexts: (row, { suffix, delimiter }, place) => {
    const { context_options: contexts, continuation, gold } = check(contextsRow, row, place);
    const requests = contexts.map(context => ({ context: context + suffix, continuation: delimiter + continuation }));
    return { requests, gold: goldOf(gold, contexts, place), lengths: null };
  },
  lastWord: (row, { suffix, delimiter }, place) => {
    const { context, continuation } = check(lastWordRow, row, place);
    return {
      requests: [{ context: context + suffix, continuation: delimiter + continuation }],
      gold: 0,
      lengths: null,
    };
  },
};

function parseJson(line: string, number: number, path: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw invalid({ number, path }, 'is no JSON');
  }
}

function check<Row>(schema: z.ZodType<Row>, row: unknown, place: Place): Row {
  const parsed = schema.safeParse(row);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(place, `has no valid "${issue!.path.join('.')}" (${issue!.message})`);
}

function goldOf(gold: number, answers: readonly string[], place: Place): number {
  if (gold < answers.length) return gold;
  throw invalid(place, `says that answer ${gold} is right, but has ${answers.length}, counted from 0`);
}

function invalid({ number, path }: Place, fault: string): CompressionError {
  return new CompressionError(
    'INVALID_DATA_SET',
    `Line ${number} of ${path} ${fault}. Is it the file of another task?`,
    { path, line: number },
  );
}
