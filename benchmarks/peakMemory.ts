/**
 * How much memory do compressing and comparing a model take that is larger than it? A 341 M-parameter Llama (1.37 GB in float32), GPTQ
 * 4 bits, `node benchmarks/peakMemory.ts`; target: peak below 1.2 GB. Then the result beside the original, `quern evaluate --baseline`.
 * Peaks are the kernel's own figures for the processes (Linux).
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shapes } from '../tools/syntheticCheckpoint/shapes.ts';
import { writeSyntheticCheckpoint } from '../tools/syntheticCheckpoint/writeSyntheticCheckpoint.ts';
import { describeMachine, scratchFolder } from './machine.ts';

const EVALUATION_BYTES = 12_000;

const root = join(import.meta.dirname, '..');
const checkpoint = scratchFolder('350m');
const out = scratchFolder('350m-q4');
if (!existsSync(join(checkpoint, 'config.json'))) {
  await writeSyntheticCheckpoint(checkpoint, shapes['350m']!, join(root, 'models', 'demo'));
}
await rm(out, { recursive: true, force: true });

const windows = process.argv[2] ?? '16';
const flags = ['--method', 'gptq:4:128', '--windows', windows, '--evaluate', 'none'];
const compressed = await runQuern('compress', checkpoint, '--out', out, ...flags);
const { storage, windowsUsed, sites } = compressed.result as {
  storage: { bitsPerWeight: number; compressedBytes: number };
  windowsUsed: number;
  sites: unknown[];
};
console.log(describeMachine());
console.log(
  `${sites.length} sites, ${windowsUsed} windows of 512 tokens, ${storage.bitsPerWeight.toFixed(3)} stored bits a weight`,
);
tell('compress', compressed);
console.log('(target 1.2 GB)');

const text = scratchFolder('evaluation.txt');
const stories = await readFile(join(root, 'calib-data', 'stories', 'evaluation.txt'));
await writeFile(text, stories.subarray(0, EVALUATION_BYTES));
const evaluated = await runQuern('evaluate', out, '--baseline', checkpoint, '--data', text);
tell(`evaluate --baseline, ${evaluated.result.tokenCount} tokens`, evaluated);

interface Run {
  readonly result: Record<string, unknown>;
  readonly seconds: number;
  readonly peakBytes: number;
}

function tell(what: string, { seconds, peakBytes }: Run): void {
  console.log(`${what}: ${seconds.toFixed(0)} s, peak memory ${(peakBytes / 1e9).toFixed(2)} GB`);
}

/** Runs a command on the CPU and watches its memory. */
async function runQuern(...args: readonly string[]): Promise<Run> {
  const main = join(root, 'packages', 'cli', 'src', 'main.js');
  const started = performance.now();
  const child = spawn(process.execPath, [main, ...args, '--device', 'cpu', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.on('data', chunk => {
    stdout += chunk;
  });
  let peakKilobytes = 0;
  const timer = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    peakKilobytes = Math.max(peakKilobytes, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
  }, 200);
  const code = await new Promise<number | null>(resolve => child.on('close', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`${args[0]} ended with ${code}`);
  return { result: JSON.parse(stdout), seconds: (performance.now() - started) / 1000, peakBytes: 1024 * peakKilobytes };
}
