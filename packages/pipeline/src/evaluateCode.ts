import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hubSettings, pulledProblems, readTextFile } from '@quern/calibration';
import { CompressionError } from '@quern/core';
import {
  type CodeBenchmark,
  type CodeProblem,
  type CompletionScores,
  parseCodeProblems,
  scoreCompletions,
} from '@quern/evaluator';
import type { Device } from '@quern/runtime';
import type { Emit } from './events.ts';
import { checkSampling, openWriter, promptIds, type Sampling, writeText } from './generateText.ts';

export interface CodeRequest extends Sampling {
  /** Null when `completions` are scored. */
  readonly model: string | null;
  readonly tokenizer?: string | undefined;
  readonly benchmark: CodeBenchmark;
  /** File with the problems, JSON lines, gzipped or not; the pulled ones unless given. */
  readonly data?: string | undefined;
  /** File with completions to score: JSON lines of `task_id` and `completion`. */
  readonly completions?: string | undefined;
  /** Completions a problem. */
  readonly samples: number;
  /** The first so many problems; all unless given. */
  readonly limit?: number | undefined;
  readonly maxNewTokens: number;
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  readonly device: 'auto' | Device;
  readonly threads?: number | undefined;
}

export interface CodeResult extends CompletionScores {
  readonly model: string | null;
  readonly benchmark: CodeBenchmark;
  readonly data: string;
  readonly dataSha256: string;
  /** How the completions were drawn; null when they were given. */
  readonly sampling: (Sampling & { readonly samples: number; readonly maxNewTokens: number }) | null;
  readonly device: Device | null;
  readonly durationMs: number;
}

interface Work {
  readonly emit: Emit;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Scores a model, or given completions, on a code benchmark: every completion runs with the tests of its problem in a sandbox.
 *
 * Errors: those of `openModel`, `parseCodeProblems` and `scoreCompletions`; INVALID_DATA_SET for completions that cannot be read or
 * belong to no problem; INVALID_OPTION.
 */
export async function evaluateCode(request: CodeRequest, { emit, signal }: Work): Promise<CodeResult> {
  const started = performance.now();
  checkSampling(request);
  if (request.samples > 1 && request.temperature === 0 && request.completions === undefined) {
    throw new CompressionError(
      'INVALID_OPTION',
      `--samples ${request.samples} at --temperature 0 would be ${request.samples} times the same text: raise the temperature, or take one sample.`,
    );
  }
  const data = request.data ?? (await pulledFile(request.benchmark));
  const file = await readTextFile(data);
  const all = parseCodeProblems(request.benchmark, file.content, data);
  const isGiven = request.completions !== undefined;
  const problems = all.filter(({ isScored }) => isGiven || isScored).slice(0, request.limit);
  const drawn = isGiven ? null : await drawCompletions(request, problems, { emit, signal });
  const completions = drawn?.completions ?? (await readCompletions(request.completions!, all));
  emit({ kind: 'stage', stage: 'run code', detail: `${request.benchmark}, ${problems.length} problems` });
  const scores = await scoreCompletions(problems, completions, {
    limits: { timeoutMs: request.timeoutMs, memoryBytes: request.memoryBytes },
    parallel: request.threads,
    signal,
    onProgress: (done, total) => emit({ kind: 'progress', stage: 'run code', done, total, unit: 'samples' }),
  });
  const { temperature, topK, topP, seed, samples, maxNewTokens } = request;
  return {
    model: isGiven ? null : request.model,
    benchmark: request.benchmark,
    data,
    dataSha256: file.sha256,
    ...scores,
    sampling: isGiven ? null : { temperature, topK, topP, seed, samples, maxNewTokens },
    device: drawn?.device ?? null,
    durationMs: Math.round(performance.now() - started),
  };
}

async function pulledFile(benchmark: CodeBenchmark): Promise<string> {
  const path = join(pulledProblems(hubSettings()), benchmark, 'problems.jsonl');
  if (await stat(path).catch(() => null)) return path;
  const pull = benchmark === 'humaneval_js' ? '' : `, or run quern data pull ${benchmark}`;
  throw new CompressionError(
    'INVALID_DATA_SET',
    `--code ${benchmark} has no problems: name their file with --code-data <file.jsonl or .jsonl.gz>${pull}.`,
    { benchmark },
  );
}

async function drawCompletions(request: CodeRequest, problems: readonly CodeProblem[], { emit, signal }: Work) {
  if (request.model === null)
    throw new CompressionError('USAGE', 'Name a model, or give --completions <file> to score.');
  const prompts = problems.map(({ prompt }) => prompt);
  const writer = await openWriter({ ...request, model: request.model, prompts, what: '--code' }, emit);
  const completions = new Map<string, string[]>();
  const total = problems.length * request.samples;
  emit({ kind: 'stage', stage: 'write code', detail: `${total} completions` });
  let done = 0;
  try {
    for (const problem of problems) {
      const texts: string[] = [];
      const ids = promptIds(writer, problem.prompt);
      for (let sample = 0; sample < request.samples; sample++) {
        texts.push(await completion(problem, ids, { ...request, seed: request.seed + done }));
        emit({ kind: 'progress', stage: 'write code', done: ++done, total, unit: 'samples' });
      }
      completions.set(problem.id, texts);
    }
  } finally {
    await writer.session.release();
  }
  return { completions, device: writer.device };

  /** A prompt that fills the context is a problem that is not solved, not an end of the work. */
  async function completion(problem: CodeProblem, ids: Int32Array, sampling: CodeRequest): Promise<string> {
    if (writer.contextLength !== null && ids.length >= writer.contextLength) return '';
    const { text, stopReason } = await writeText(writer, ids, { ...sampling, stop: problem.stops }, { signal });
    return stopReason === 'stop' ? text + problem.closing : text;
  }
}

/** Completions by problem. Errors: INVALID_DATA_SET with the line. */
async function readCompletions(
  path: string,
  problems: readonly CodeProblem[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { content } = await readTextFile(path);
  const known = new Set(problems.map(({ id }) => id));
  const completions = new Map<string, string[]>();
  for (const [index, line] of content.split('\n').entries()) {
    if (line.trim() === '') continue;
    const { task_id: id, completion } = parseLine(line, index + 1, path);
    if (typeof id !== 'string' || typeof completion !== 'string')
      throw invalidLine(path, index + 1, 'has no texts in "task_id" and "completion"');
    if (!known.has(id)) {
      throw invalidLine(
        path,
        index + 1,
        `names the task "${id}", which the problems do not have (${[...known][0]}, ...)`,
      );
    }
    const texts = completions.get(id) ?? [];
    texts.push(completion);
    completions.set(id, texts);
  }
  return completions;
}

function parseLine(line: string, number: number, path: string): { task_id?: unknown; completion?: unknown } {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // The same fault as a value that is no object.
  }
  throw invalidLine(path, number, 'is no JSON object');
}

function invalidLine(path: string, line: number, fault: string): CompressionError {
  return new CompressionError(
    'INVALID_DATA_SET',
    `Line ${line} of ${path} ${fault}. A line is {"task_id": "...", "completion": "..."}.`,
    { path, line },
  );
}
