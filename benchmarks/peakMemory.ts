/**
 * How much memory does compressing a model take that is larger than it? A 341 M-parameter Llama (1.37 GB in float32), GPTQ 4 bits,
 * `node benchmarks/peakMemory.ts`; target: peak below 1.2 GB. The peak is the kernel's own figure for the process (Linux).
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { shapes } from '../tools/syntheticCheckpoint/shapes.ts';
import { writeSyntheticCheckpoint } from '../tools/syntheticCheckpoint/writeSyntheticCheckpoint.ts';
import { describeMachine, scratchFolder } from './machine.ts';

const root = join(import.meta.dirname, '..');
const checkpoint = scratchFolder('350m');
const out = scratchFolder('350m-q4');
if (!existsSync(join(checkpoint, 'config.json'))) {
  await writeSyntheticCheckpoint(checkpoint, shapes['350m']!, join(root, 'models', 'demo'));
}
await rm(out, { recursive: true, force: true });

const windows = process.argv[2] ?? '16';
const flags = ['--method', 'gptq:4:128', '--windows', windows, '--evaluate', 'none', '--device', 'cpu', '--json'];
const main = join(root, 'packages', 'cli', 'src', 'main.js');
const started = performance.now();
const child = spawn(process.execPath, [main, 'compress', checkpoint, '--out', out, ...flags], {
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
if (code !== 0) throw new Error(`compress ended with ${code}`);

const { storage, windowsUsed, sites } = JSON.parse(stdout) as {
  storage: { bitsPerWeight: number; compressedBytes: number };
  windowsUsed: number;
  sites: unknown[];
};
const seconds = (performance.now() - started) / 1000;
console.log(describeMachine());
console.log(
  `${sites.length} sites, ${windowsUsed} windows of 512 tokens, ${storage.bitsPerWeight.toFixed(3)} stored bits a weight`,
);
console.log(`whole run   ${seconds.toFixed(0)} s`);
console.log(`peak memory ${(peakKilobytes / 1e6).toFixed(2)} GB (target 1.2 GB)`);
