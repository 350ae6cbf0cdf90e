/**
 * What does each form of a sparse dictionary take in the file, to open and in memory, and how fast does it decode?
 *
 * `node benchmarks/dictionaryForms.ts` prints a Markdown table. A synthetic Llama block 2048 wide (61 M weights) whose sites hold random
 * dictionaries of the sizes that `dictionary` would give them: only what is stored and computed matters here. Each form is opened in a
 * process of its own; memory is what that process takes beyond what it took before: at most while it opens, and after tokens were
 * decoded. Decoding takes turns with the baseline, dense float16 weights, one token at a time with the KV cache; a ratio is the median of
 * pairs. Times are CPU time of one thread, which other work on the machine disturbs little.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { externalData, openPacked } from '@quern/loader';
import { InferenceSession } from 'onnxruntime-node';
import type {
  CompressedWeight,
  DenseWeight,
  LinearSite,
  QuantizedWeight,
  SparseGridWeight,
  SparseWeight,
} from '../packages/core/src/index.ts';
import { importCheckpoint } from '../packages/importer/src/index.ts';
import {
  copyRemaining,
  createWeightStore,
  findLinearSites,
  replaceSite,
  storeMasked,
  storePlanes,
  writeOnnxModel,
} from '../packages/onnx/src/index.ts';
import { packGraph } from '../packages/pipeline/src/output/packed/packGraph.ts';
import { generateGreedy } from '../packages/runtime/src/index.ts';
import { dictionarySize } from '../packages/solvers/src/sparseDictionary/dictionarySize.ts';
import { shapes } from '../tools/syntheticCheckpoint/shapes.ts';
import { writeSyntheticCheckpoint } from '../tools/syntheticCheckpoint/writeSyntheticCheckpoint.ts';
import { describeMachine, median, scratchFolder } from './machine.ts';

type Storage = 'container' | 'packed' | 'packed-onnx';

/** How a weight is made, its name in the table and the forms that it is stored in. */
interface Method {
  readonly name: string;
  readonly storages: readonly Storage[];
  /** Of sites that are solved together; see `groupsOf`. */
  readonly make: (sites: readonly LinearSite[], random: () => number) => CompressedWeight[];
}

const ALL: readonly Storage[] = ['container', 'packed', 'packed-onnx'];
const METHODS: readonly Method[] = [
  {
    name: 'dense',
    storages: ['container'],
    make: (sites, random) => sites.map(({ outFeatures, inFeatures }) => dense(outFeatures, inFeatures, random)),
  },
  {
    name: 'gptq:4:128',
    storages: ['container'],
    make: (sites, random) => sites.map(({ outFeatures, inFeatures }) => grid(outFeatures, inFeatures, 128, random)),
  },
  {
    name: 'dictionary:4, 80 % removed',
    storages: ALL,
    make: (sites, random) => dictionaryOf(sites, random, { bits: 4, ratio: 0.8 }),
  },
  {
    name: 'dictionary, 30 % removed',
    storages: ['container', 'packed-onnx'],
    make: (sites, random) => dictionaryOf(sites, random, { bits: 16, ratio: 0.3 }),
  },
];
const ONE_THREAD = { intraOpNumThreads: 1, logSeverityLevel: 3 } as const;
const ROUNDS = 3;
const TOKENS = 8;
const PROMPT = Int32Array.from({ length: 16 }, (_, index) => 100 + index);

/** Names of factors that sites share. */
let sharedCount = 0;

const [measured, packed] = process.argv.slice(2);
if (measured) await measure(measured, packed === 'packed');
else await compareAll();

async function compareAll(): Promise<void> {
  const checkpoint = scratchFolder('wide2048-block');
  const shape = { ...shapes.wide2048!, blockCount: 1, vocabularySize: 512 };
  if (!existsSync(join(checkpoint, 'config.json'))) {
    await writeSyntheticCheckpoint(checkpoint, shape, join(import.meta.dirname, '..', 'models', 'demo'));
  }
  const forms = METHODS.flatMap(method => method.storages.map(storage => ({ method, storage })));
  const graphs: string[] = [];
  for (const [index, form] of forms.entries()) {
    graphs.push(await write(checkpoint, join(scratchFolder('dictionary-forms'), String(index)), form));
  }
  const baseline = await open(graphs[0]!, false);
  await tokensPerSecond(baseline);
  console.log(`${describeMachine()}\n`);
  console.log(
    '| method | form | files | CPU time to open | most memory while opening | memory while decoding | tokens/s, dense = 1 |',
  );
  console.log('|---|---|---|---|---|---|---|');
  for (const [index, { method, storage }] of forms.entries()) {
    const graph = graphs[index]!;
    const flags = [import.meta.filename, graph, storage];
    const child = JSON.parse(execFileSync(process.execPath, flags, { encoding: 'utf8' }));
    const session = await open(graph, storage === 'packed');
    await tokensPerSecond(session);
    const ratios: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      ratios.push((await tokensPerSecond(session)) / (await tokensPerSecond(baseline)));
    }
    await session.release();
    const folder = join(graph, '..');
    const sizes = await Promise.all((await readdir(folder)).map(async name => (await stat(join(folder, name))).size));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    console.log(
      `| ${method.name} | ${storage} | ${mega(bytes)} | ${(child.openMs / 1000).toFixed(2)} s | ${mega(child.peak)} | ${mega(child.held)} | ${median(ratios).toFixed(2)} |`,
    );
  }
}

/** Writes one form, unless it is there from a run before. */
async function write(
  checkpoint: string,
  folder: string,
  { method, storage }: { readonly method: Method; readonly storage: Storage },
): Promise<string> {
  const graph = join(folder, 'model.onnx');
  if (existsSync(graph)) return graph;
  const { model } = await importCheckpoint(checkpoint, { dtype: 'fp32' });
  const random = generator();
  const container = storage === 'packed-onnx' ? `${folder}-container` : folder;
  await mkdir(folder, { recursive: true });
  const store = createWeightStore({ folder: container, fileName: 'model.onnx_data' });
  const kernel = { accuracyLevel: 4, activationType: 'float32' } as const;
  for (const sites of groupsOf(findLinearSites(model).filter(({ block }) => block !== null))) {
    for (const [index, compressed] of method.make(sites, random).entries()) {
      await replaceSite(model, { ...kernel, site: sites[index]!, compressed }, store);
    }
  }
  await copyRemaining(model, store, { fold: true });
  await store.close();
  if (storage === 'packed-onnx') {
    const stored = { proto: model.proto, folder: container };
    const smaller = createWeightStore({ folder, fileName: 'model.onnx_data' });
    await storeMasked(stored, smaller);
    await storePlanes(stored, smaller);
    await copyRemaining(stored, smaller, { fold: false });
    await smaller.close();
    await rm(container, { recursive: true });
  }
  await writeOnnxModel({ proto: model.proto, folder }, graph);
  if (storage === 'packed') await packGraph(graph);
  console.error(`${basename(folder)}: ${method.name}, ${storage}`);
  return graph;
}

async function open(graph: string, isPacked: boolean): Promise<InferenceSession> {
  if (!isPacked) return InferenceSession.create(graph, ONE_THREAD);
  const model = await openPacked(graph.replace(/onnx$/, 'quern'));
  const session = await InferenceSession.create(graph, { ...ONE_THREAD, externalData: await externalData(model) });
  await model.close();
  return session;
}

/** In a process of its own. */
async function measure(graph: string, isPacked: boolean): Promise<void> {
  const before = memory('VmRSS');
  const started = cpuMs();
  const session = await open(graph, isPacked);
  const openMs = cpuMs() - started;
  const peak = memory('VmHWM') - before;
  await tokensPerSecond(session);
  globalThis.gc?.();
  console.log(JSON.stringify({ openMs, peak, held: memory('VmRSS') - before }));
}

async function tokensPerSecond(session: InferenceSession): Promise<number> {
  let first = 0;
  const onToken = (): void => {
    if (first === 0) first = cpuMs(); // the prompt is not counted
  };
  await generateGreedy(session, PROMPT, { maxNewTokens: TOKENS + 1, stopIds: [], onToken });
  return (1000 * TOKENS) / (cpuMs() - first);
}

/** Sites that read one input together, and the others of a block together. */
function groupsOf(sites: readonly LinearSite[]): LinearSite[][] {
  const readers = [...Map.groupBy(sites, ({ inputName }) => inputName).values()];
  const alone = readers.filter(group => group.length === 1).flat();
  return [...readers.filter(group => group.length > 1), ...Map.groupBy(alone, ({ block }) => block).values()];
}

interface Format {
  readonly bits: number;
  readonly ratio: number;
}

function dictionaryOf(sites: readonly LinearSite[], random: () => number, { bits, ratio }: Format): CompressedWeight[] {
  const format = { bits, atomBits: bits, groupSize: 'channel' } as const;
  const [{ inputName, outFeatures, inFeatures }] = sites as [LinearSite];
  const request = { ratio, atomsPerNonzero: 2, format };
  const sharedFactor = { name: `shared_${sharedCount++}`, siteCount: sites.length };
  if (sites.every(site => site.inputName === inputName)) {
    const stackedOutputs = sites.map(site => site.outFeatures);
    const { atomCount, nonzeroCount } = dictionarySize({ outFeatures, inFeatures, stackedOutputs }, request);
    const right = bits === 16 ? dense(atomCount, inFeatures, random) : grid(atomCount, inFeatures, inFeatures, random);
    const share = nonzeroCount / stackedOutputs.reduce((sum, own) => sum + own, 0);
    const sharedRight = sites.length > 1 ? sharedFactor : null;
    return stackedOutputs.map(own => {
      const left = sparse([own, atomCount], Math.floor(share * own), { bits, random });
      return { kind: 'lowRank', outFeatures: own, inFeatures, left, right, sharedRight };
    });
  }
  const stackedInputs = sites.map(site => site.inFeatures);
  const shape = { outFeatures, inFeatures, stackedInputs, atomsOver: 'outputs' } as const;
  const { atomCount, nonzeroCount } = dictionarySize(shape, request);
  const left = bits === 16 ? dense(outFeatures, atomCount, random) : grid(outFeatures, atomCount, atomCount, random);
  const share = nonzeroCount / stackedInputs.reduce((sum, own) => sum + own, 0);
  return stackedInputs.map(own => {
    const right = sparse([atomCount, own], Math.floor(share * own), { bits, random });
    return { kind: 'lowRank', outFeatures, inFeatures: own, left, right, sharedRight: null, sharedLeft: sharedFactor };
  });
}

function sparse(
  [outFeatures, inFeatures]: readonly [number, number],
  nonzeroCount: number,
  { bits, random }: { readonly bits: number; readonly random: () => number },
): SparseWeight | SparseGridWeight {
  const mask = new Uint8Array(outFeatures * inFeatures);
  for (let place = 0, left = nonzeroCount; place < mask.length; place++) {
    if (((random() + 1) / 2) * (mask.length - place) >= left) continue;
    mask[place] = 1;
    left--;
  }
  const shape = { outFeatures, inFeatures, mask };
  if (bits === 16) {
    const values = Float32Array.from({ length: nonzeroCount }, () => Math.f16round(random() / 4 + 0.01));
    return { kind: 'sparse', ...shape, values };
  }
  const codes = Uint8Array.from({ length: nonzeroCount }, () => bell(random));
  return { kind: 'sparseGrid', ...shape, bits, codes, scales: new Float32Array(outFeatures).fill(2 ** -5) };
}

function dense(outFeatures: number, inFeatures: number, random: () => number): DenseWeight {
  const data = Float32Array.from({ length: outFeatures * inFeatures }, () => Math.f16round(random() / 16));
  return { kind: 'dense', outFeatures, inFeatures, data };
}

function grid(outFeatures: number, inFeatures: number, groupSize: number, random: () => number): QuantizedWeight {
  const codes = Uint8Array.from({ length: outFeatures * inFeatures }, () => bell(random));
  const scales = new Float32Array(outFeatures * Math.ceil(inFeatures / groupSize)).fill(2 ** -8);
  const settings = { bits: 4, groupSize, scaleType: 'float16', zeroPoints: null } as const;
  return { kind: 'quantized', outFeatures, inFeatures, ...settings, codes, scales };
}

/** A code of 4 bits, near the middle as a rule. */
function bell(random: () => number): number {
  return Math.max(0, Math.min(15, 8 + Math.round(2 * (random() + random() + random() + random()))));
}

/** Uniform in [-1, 1). */
function generator(): () => number {
  let state = 12345;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function memory(field: 'VmHWM' | 'VmRSS'): number {
  return 1024 * Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0);
}

function mega(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
