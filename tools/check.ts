/**
 * The whole test command: formatter and linter, types, structure, all tests. Every step runs even when one before it failed;
 * the last line counts them together.
 */
import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Step {
  readonly name: string;
  readonly command: readonly string[];
}

const resultFile = join(tmpdir(), `quern-tests-${process.pid}.json`);
const bin = (name: string): string => join(import.meta.dirname, '..', 'node_modules', '.bin', name);

const steps: readonly Step[] = [
  { name: 'format and lint', command: [bin('biome'), 'ci', '.'] },
  { name: 'types', command: [bin('tsc'), '-p', '.'] },
  { name: 'structure', command: [bin('node'), 'tools/checkStructure.ts'] },
  {
    name: 'tests',
    command: [bin('vitest'), 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${resultFile}`],
  },
];

let passed = 0;
let failed = 0;
let skipped = 0;
for (const step of steps) {
  console.log(`\n== ${step.name}`);
  const code = await run(step.command);
  if (step.name !== 'tests') {
    code === 0 ? passed++ : failed++;
    continue;
  }
  const counts = await readCounts();
  passed += counts.passed;
  failed += counts.failed;
  skipped += counts.skipped;
  if (code !== 0 && counts.failed === 0) failed++;
}
await rm(resultFile, { force: true });
if (skipped > 0)
  console.log(`\n${skipped} skipped: they need models, texts or libraries that are not part of this repository`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function run(command: readonly string[]): Promise<number> {
  const path = `${join(import.meta.dirname, '..', 'node_modules', '.bin')}:${process.env.PATH ?? ''}`;
  return new Promise(resolve => {
    const child = spawn(command[0]!, command.slice(1), { stdio: 'inherit', env: { ...process.env, PATH: path } });
    child.on('error', () => resolve(127));
    child.on('close', code => resolve(code ?? 1));
  });
}

async function readCounts(): Promise<{ passed: number; failed: number; skipped: number }> {
  try {
    const report = JSON.parse(await readFile(resultFile, 'utf8')) as {
      numPassedTests: number;
      numFailedTests: number;
      numPendingTests: number;
    };
    return { passed: report.numPassedTests, failed: report.numFailedTests, skipped: report.numPendingTests };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
