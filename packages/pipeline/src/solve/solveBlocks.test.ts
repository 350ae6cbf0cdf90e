import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompressionError } from '@quern/core';
import { importCheckpoint } from '@quern/importer';
import {
  createWeightStore,
  findBlockCuts,
  findLinearSites,
  type OnnxModel,
  openWhileWriting,
  readWeight,
} from '@quern/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PipelineEvent } from '../events.ts';
import type { ForwardContext } from '../forward/blockForward.ts';
import { createHiddenStates } from '../forward/hiddenStates.ts';
import { type RecipeInput, resolveRecipe } from '../recipe.ts';
import type { Executor } from './createExecutor.ts';
import type { ResultStore } from './resultStore.ts';
import { selectSites } from './selectSites.ts';
import { solveBlocks } from './solveBlocks.ts';
import { type SolveMember, type SolveTask, solveSite } from './solveSite.ts';

const demo = join(import.meta.dirname, '..', '..', '..', '..', 'models', 'demo');
const TOKENS = [8, 8, 5];

let folder = '';
/** Site names by the first values of their weights. */
const names = new Map<string, string>();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-blocks-'));
  const { model } = await importCheckpoint(demo, { dtype: 'fp32' });
  for (const site of findLinearSites(model)) names.set(fingerprint((await readWeight(model, site)).data), site.name);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function fingerprint(data: Float32Array): string {
  return data.subarray(0, 8).join();
}

interface Trial {
  /** Sites in the order in which they reached the executor. */
  readonly solved: string[];
  readonly grams: Map<string, Buffer>;
  readonly forwardPasses: () => number;
  readonly events: PipelineEvent[];
  readonly run: () => ReturnType<typeof solveBlocks>;
}

interface TrialOptions {
  readonly recipe?: RecipeInput;
  readonly results?: ResultStore;
  readonly memoryLimit?: number;
  readonly signal?: AbortSignal;
  readonly solve?: (name: string, task: SolveTask) => ReturnType<Executor['solve']>;
}

async function solveHere(task: SolveTask): ReturnType<Executor['solve']> {
  return { results: await solveSite(task), durationMs: 0 };
}

/** Two blocks of the demo model with an executor that solves here and remembers. */
async function prepare(options: TrialOptions = {}): Promise<Trial> {
  const { results = memoryStore().store, memoryLimit = 1e9, signal, solve = (_, task) => solveHere(task) } = options;
  const { model } = await importCheckpoint(demo, { dtype: 'fp32' });
  const recipe = resolveRecipe({ method: 'gptq', exclude: ['model.layers.{2,3,4,5}.*'], ...options.recipe });
  const trial = await mkdtemp(join(folder, 'trial-'));
  const store = createWeightStore({ folder: trial, fileName: 'data' });
  const [solved, grams, events]: [string[], Map<string, Buffer>, PipelineEvent[]] = [[], new Map(), []];
  let passes = 0;
  const forward: ForwardContext = {
    model,
    inputs: {
      runCount: TOKENS.length,
      runsPerSum: 2,
      read: async run => ({
        kind: 'text',
        ids: [Int32Array.from({ length: TOKENS[run]! }, (_, i) => 5 + 7 * i + run)],
      }),
    },
    localize: async (part: OnnxModel) => {
      passes++;
      return openWhileWriting(part, store);
    },
    hidden: createHiddenStates(join(trial, 'hidden'), memoryLimit),
    device: 'cpu',
    signal,
  };
  const executor: Executor = {
    threads: 3,
    async solve(task) {
      const [{ weight, statistics }] = task.members as [SolveMember];
      const name = names.get(fingerprint(weight.data))!;
      solved.push(name);
      const gram = statistics?.inputGram.data;
      if (gram) grams.set(name, Buffer.from(gram.slice().buffer));
      return solve(name, task);
    },
    rateCurve: () => Promise.reject(new Error('not asked for')),
    ways: () => Promise.reject(new Error('not asked for')),
    loss: () => Promise.reject(new Error('not asked for')),
    spectrum: () => Promise.reject(new Error('nobody asks for spectra here')),
    close: async () => undefined,
  };
  const plans = selectSites(findLinearSites(model), recipe);
  const cuts = findBlockCuts(model);
  const emit = (event: PipelineEvent): void => void events.push(event);
  return {
    solved,
    grams,
    events,
    forwardPasses: () => passes,
    async run() {
      try {
        const solvedBefore = new Map<string, string>();
        const shared = { model, recipe, plans, cuts, forward, executor, results, solvedBefore, store };
        const request = { ...shared, original: null, origin: 'test' };
        return await solveBlocks({ ...request, emit, signal });
      } finally {
        await store.abort();
        await forward.hidden.close();
      }
    },
  };
}

function memoryStore(): { readonly store: ResultStore; readonly kept: Map<string, unknown> } {
  const kept = new Map<string, unknown>();
  const store: ResultStore = {
    load: async <Result>(key: string) => (kept.get(key) as Result | undefined) ?? null,
    save: async (key, result) => void kept.set(key, result),
    count: async () => kept.size,
  };
  return { store, kept };
}

const blockOf = (name: string): number => Number(/layers\.(\d)/.exec(name)![1]);

describe('two blocks', () => {
  const { store, kept } = memoryStore();
  let first: Trial;
  let reports: Awaited<ReturnType<typeof solveBlocks>>;
  beforeAll(async () => {
    first = await prepare({ results: store });
    reports = await first.run();
  });

  it('are solved in order, one after the other, with statistics of every token', async () => {
    expect(first.solved).toHaveLength(14);
    expect(first.solved.map(blockOf)).toEqual([...Array(7).fill(0), ...Array(7).fill(1)]);
    expect(reports.map(report => report.name).sort()).toEqual([...first.solved].sort());
    // Sites that read the same activation are given the same Gram.
    const [q, k] = ['q_proj', 'k_proj'].map(end => first.grams.get(first.solved.find(name => name.endsWith(end))!)!);
    expect(q!.equals(k!)).toBe(true);
  });

  it('count every finished site once', () => {
    const counts = first.events.map(event => (event.kind === 'progress' ? event.done : 0));
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(counts.at(-1)).toBe(14);
  });

  it('are not solved again, nor run, when every result is there', async () => {
    const again = await prepare({ results: store });
    expect(await again.run()).toEqual(reports);
    expect([again.solved, again.forwardPasses()]).toEqual([[], 0]);
  });

  it('give the second block the same statistics when only the first is known', async () => {
    const half = memoryStore();
    // Results are saved as they are finished: the first seven are those of the first block.
    for (const [key, result] of [...kept].slice(0, 7)) half.kept.set(key, result);
    const second = await prepare({ results: half.store });
    expect((await second.run()).map(withoutDuration)).toEqual(reports.map(withoutDuration));
    expect(second.solved.map(blockOf)).toEqual(Array(7).fill(1));
    for (const [name, gram] of second.grams) expect(gram.equals(first.grams.get(name)!)).toBe(true);
    expect(new Set(half.kept.keys())).toEqual(new Set(kept.keys()));
  });

  it('do not depend on where hidden states lie between them', async () => {
    const spilled = await prepare({ memoryLimit: 0 });
    expect((await spilled.run()).map(withoutDuration)).toEqual(reports.map(withoutDuration));
    for (const [name, gram] of spilled.grams) expect([name, gram.equals(first.grams.get(name)!)]).toEqual([name, true]);
  });

  it('are other jobs after another first block, but not before another second one', async () => {
    const changed = async (recipe: RecipeInput): Promise<number[]> => {
      const results = memoryStore();
      for (const [key, result] of kept) results.kept.set(key, result);
      const trial = await prepare({ results: results.store, recipe });
      await trial.run();
      return trial.solved.map(blockOf);
    };
    const oneSite = (block: number): RecipeInput => ({ rules: [{ sites: `model.layers.${block}.*.v_proj`, bits: 3 }] });
    expect(await changed(oneSite(0))).toEqual([0, ...Array(7).fill(1)]);
    expect(await changed(oneSite(1))).toEqual([1]);
    // A solver that reads the weight alone does not care about what stands before it.
    const rounded = { sites: 'model.layers.1.*', method: 'rtn' };
    const results = memoryStore();
    await (await prepare({ results: results.store, recipe: { rules: [rounded] } })).run();
    const again = await prepare({ results: results.store, recipe: { rules: [rounded, ...oneSite(0).rules!] } });
    await again.run();
    expect(again.solved.map(blockOf)).toEqual([0]);
  });
});

it('keeps what was finished when it is interrupted', async () => {
  const controller = new AbortController();
  const { store, kept } = memoryStore();
  const trial = await prepare({
    results: store,
    signal: controller.signal,
    solve: async (_, task) => {
      if (kept.size === 9) controller.abort();
      return solveHere(task);
    },
  });
  await expect(trial.run()).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect(kept.size).toBeGreaterThanOrEqual(9);
  expect(kept.size).toBeLessThan(14);
});

it('names the site of a job that fails, and stops', async () => {
  const trial = await prepare({
    solve: async (name, task) => {
      if (name.endsWith('0.mlp.up_proj')) {
        throw new CompressionError('NOT_POSITIVE_DEFINITE', 'The Gram is singular.', { pivot: 3 });
      }
      return solveHere(task);
    },
  });
  await expect(trial.run()).rejects.toMatchObject({
    code: 'NOT_POSITIVE_DEFINITE',
    message: 'model.layers.0.mlp.up_proj: The Gram is singular.',
    context: { pivot: 3, site: 'model.layers.0.mlp.up_proj' },
  });
  expect(trial.solved.every(name => blockOf(name) === 0)).toBe(true);
});

function withoutDuration<Report extends { readonly durationMs: number }>(report: Report): Omit<Report, 'durationMs'> {
  const { durationMs: _, ...rest } = report;
  return rest;
}

describe('a site whose solver fails', () => {
  const failing = 'model.layers.0.mlp.down_proj';
  const solve = async (name: string, task: SolveTask): ReturnType<Executor['solve']> => {
    if (name === failing && task.solver === 'gptq') throw new CompressionError('NOT_POSITIVE_DEFINITE', 'pivot 3');
    return solveHere(task);
  };

  it('stops the run, naming the site', async () => {
    const trial = await prepare({ solve });
    await expect(trial.run()).rejects.toThrow(`${failing}: pivot 3`);
  });

  it('is rounded to nearest where the recipe says so, and the report and a warning tell', async () => {
    const trial = await prepare({ solve, recipe: { onFailure: 'roundToNearest' } });
    const reports = await trial.run();
    expect(reports.filter(report => report.onFailure !== undefined)).toMatchObject([
      { name: failing, onFailure: 'roundToNearest' },
    ]);
    expect(trial.events).toContainEqual({
      kind: 'warning',
      message: `${failing} is rounded to nearest: pivot 3`,
    });
  });
});
