/**
 * How close is scoring multiple choice to a bare forward pass?
 *
 * Runs `evaluateTasks`, reading, tokenising and opening the session included, and a plain loop of `session.run` that returns logits over
 * the same texts, in turn, and compares the best tokens a second of each. The loop gets its tokens for nothing; it takes one text at a time
 * or the same batches, whichever is faster.
 *
 * node benchmarks/taskSpeed.ts [model] [--task id --task-data <folder|file>] [--limit 150] [--rounds 3] [--threads n]
 * Without --task: questions with four answers, put together from the sentences of calib-data/stories.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadTokenizer, readTextFile } from '../packages/calibration/src/index.ts';
import { encodeRequest, loadTaskDefinition, parseTask } from '../packages/evaluator/src/index.ts';
import { evaluateTasks, openModel } from '../packages/pipeline/src/index.ts';
import { openSession, runSession, textFeeds } from '../packages/runtime/src/index.ts';
import { describeMachine, scratchFolder } from './machine.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    task: { type: 'string' },
    'task-data': { type: 'string' },
    limit: { type: 'string', default: '150' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string' },
  },
});
const root = join(import.meta.dirname, '..');
const path = positionals[0] ?? join(root, 'models', 'demo');
const limit = Number(values.limit);
const threads = values.threads === undefined ? {} : { threads: Number(values.threads) };
const scratch = scratchFolder('task-speed');
await mkdir(scratch, { recursive: true });
const task = values.task ?? 'copa';
const data = values['task-data'] ?? (await writeQuestions());

const opened = await openModel(path);
const windows = await encodeAll();
const tokens = windows.reduce((sum, ids) => sum + ids.length, 0);
const batches = [windows.map(ids => [ids]), batchesOfOneLength()];
let [scored, bare, bareBatches] = [0, 0, 0];
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [at, batch] of batches.entries()) {
    const rate = await bareLoop(batch);
    if (rate > bare) [bare, bareBatches] = [rate, at];
  }
  scored = Math.max(scored, await taskRate());
}
const result = {
  model: path,
  task: values.task ?? 'questions from stories',
  texts: windows.length,
  tokens,
  scoredTokensPerSecond: Math.round(scored),
  bareTokensPerSecond: Math.round(bare),
  bareLoop: bareBatches === 0 ? 'one text at a time' : 'batches of one length',
  ratio: Number((scored / bare).toFixed(3)),
  machine: describeMachine(),
};
console.log(JSON.stringify(result, null, 2));
await rm(scratch, { recursive: true, force: true });

/** All of it: the file is read, its texts are tokenised, a session is opened. */
async function taskRate(): Promise<number> {
  const started = performance.now();
  const { tokenCount } = await evaluateTasks(
    { model: path, tasks: [task], data, limit, device: 'cpu', ...threads },
    () => undefined,
  );
  return tokenCount / ((performance.now() - started) / 1000);
}

/** Only forward passes: the session is open and the feeds are made before. */
async function bareLoop(batches: readonly (readonly Int32Array[])[]): Promise<number> {
  const session = await openSession(opened.model, { device: 'cpu', ...threads });
  const feeds = batches.map(ids => textFeeds(session, { ids: ids.map(sequence => sequence.subarray(0, -1)) }));
  await runSession(session, feeds[0]!, path);
  const started = performance.now();
  for (const feed of feeds) await runSession(session, feed, path);
  const seconds = (performance.now() - started) / 1000;
  await session.release();
  return tokens / seconds;
}

function batchesOfOneLength(): Int32Array[][] {
  const byLength = [...Map.groupBy(windows, ids => ids.length)];
  return byLength.flatMap(([length, group]) => {
    const size = Math.max(1, Math.floor(512 / length));
    return Array.from({ length: Math.ceil(group.length / size) }, (_, at) => group.slice(at * size, (at + 1) * size));
  });
}

async function encodeAll(): Promise<Int32Array[]> {
  const definition = await loadTaskDefinition(task);
  const file = await readTextFile(data);
  const tokenizer = await loadTokenizer(opened.tokenizerFolder!);
  const { bosTokenId, contextLength } = opened.text!;
  const encoding = { encode: (text: string) => tokenizer.encode(text), bosTokenId, eosTokenId: null, contextLength };
  return parseTask(definition, file.content, data)
    .slice(0, limit)
    .flatMap(({ requests }) => requests.map(request => encodeRequest(request, encoding)!.window.ids));
}

async function writeQuestions(): Promise<string> {
  const text = await readFile(join(root, 'calib-data', 'stories', 'evaluation.txt'), 'utf8');
  const sentences = text.split(/(?<=[.!?])\s+/).filter(sentence => sentence.length > 20 && !sentence.includes('<|'));
  const lines = sentences.slice(3, limit + 3).map((sentence, at) => {
    const choices = [4, 3, 2, 1].map(ahead => sentences[(at + 3 + ahead) % sentences.length]!);
    const query = [sentences[at]!, sentences[at + 1]!, sentences[at + 2]!, sentence].join(' ');
    return JSON.stringify({ query, choices, gold: 3 });
  });
  const file = join(scratch, 'copa.jsonl');
  await writeFile(file, lines.join('\n'));
  return file;
}
