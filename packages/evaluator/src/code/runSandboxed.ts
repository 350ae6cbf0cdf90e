import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CompressionError } from '@quern/core';
import type { CodeProgram } from './codeProblem.ts';
import { pythonSnapshot } from './pythonSnapshot.ts';

export interface SandboxLimits {
  readonly timeoutMs: number;
  /** Resident memory of the child; the heap of V8 gets half of it. */
  readonly memoryBytes: number;
}

/** How a program ended: with all its tests passed, or why not. */
export interface SandboxOutcome {
  readonly outcome: 'passed' | 'failed' | 'timeout' | 'memory' | 'output';
  /** The last line of its error; empty for a pass. */
  readonly detail: string;
}

const WATCH_MS = 25;
const OUTPUT_LIMIT = 1 << 16;
const SANDBOX = join(import.meta.dirname, 'sandbox');

/**
 * Runs a program and its tests in a process of its own that can touch nothing.
 *
 * The process has Node's permission model without any right (Python: to read the interpreter's folder), an empty environment, no
 * network (its network namespace is empty where the system allows that; everywhere, sockets and fetch are taken away), no
 * code from strings outside of the inner context. JavaScript runs in a context of its own, without a single object of the outer realm;
 * Python in Pyodide, cut off from JavaScript. The whole process group gets SIGKILL at the end, at the time limit, when its resident
 * memory passes the limit (watched on Linux every 25 ms; elsewhere V8's own limit stands), and when it prints too much. A verdict
 * counts only with a secret that the program does not see.
 *
 * Errors: RUNTIME_FAILED when the sandbox itself does not start.
 */
export async function runSandboxed(program: CodeProgram, limits: SandboxLimits): Promise<SandboxOutcome> {
  const secret = randomBytes(16).toString('hex');
  const isPython = program.language === 'python';
  const script = await readFile(join(SANDBOX, isPython ? 'runPython.mjs' : 'runJavaScript.mjs'), 'utf8');
  const python = isPython ? await pythonSnapshot() : null;
  const job = {
    ...program,
    secret,
    ...(python
      ? { pyodideUrl: pathToFileURL(join(python.folder, 'pyodide.mjs')).href, snapshot: python.snapshot }
      : { lockDown: await readFile(join(SANDBOX, 'lockDown.mjs'), 'utf8') }),
  };
  const heapMegabytes = Math.max(16, Math.floor(limits.memoryBytes / 2 ** 21));
  const flags = [
    '--permission',
    '--disallow-code-generation-from-strings',
    ...(python ? [`--allow-fs-read=${python.folder}/*`, `--allow-fs-read=${python.snapshot}`] : []),
    `--max-old-space-size=${heapMegabytes}`,
    '--no-addons',
    '--no-warnings',
    '--input-type=module',
    '--eval',
    script,
  ];
  const [command, ...prefix] = [...withoutNetwork(), process.execPath];
  const child = spawn(command!, [...prefix, ...flags], {
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  return watch(child, JSON.stringify(job), secret, limits);
}

function watch(child: ChildProcess, job: string, secret: string, limits: SandboxLimits): Promise<SandboxOutcome> {
  return new Promise((resolve, reject) => {
    let verdict: SandboxOutcome | null = null;
    let [stdout, stderr] = ['', ''];
    const kill = (outcome: SandboxOutcome): void => {
      verdict ??= outcome;
      killGroup(child);
    };
    const timer = setTimeout(
      () => kill({ outcome: 'timeout', detail: `ran longer than ${limits.timeoutMs} ms` }),
      limits.timeoutMs,
    );
    const watcher = setInterval(() => {
      const bytes = residentBytes(child.pid);
      if (bytes > limits.memoryBytes)
        kill({ outcome: 'memory', detail: `took ${bytes} bytes, the limit is ${limits.memoryBytes}` });
    }, WATCH_MS);
    child.stdout!.on('data', (data: Buffer) => {
      stdout += data.toString('latin1');
      if (stdout.length > OUTPUT_LIMIT) kill({ outcome: 'output', detail: `wrote more than ${OUTPUT_LIMIT} bytes` });
    });
    child.stderr!.on('data', (data: Buffer) => {
      if (stderr.length < OUTPUT_LIMIT) stderr += data.toString();
    });
    child.stdin!.on('error', () => {}); // It may have ended before it read all.
    child.stdin!.end(job);
    const stop = (): void => {
      clearTimeout(timer);
      clearInterval(watcher);
      killGroup(child);
    };
    child.on('error', error => {
      stop();
      reject(broken(`cannot be started: ${error.message}`));
    });
    child.on('close', () => {
      stop();
      const answer = readAnswer(stdout, secret);
      if (verdict) resolve(verdict);
      else if (answer?.broken) reject(broken(answer.detail));
      else if (answer) resolve({ outcome: answer.passed ? 'passed' : 'failed', detail: answer.detail });
      else if (/heap out of memory|allocation failed/i.test(stderr))
        resolve({ outcome: 'memory', detail: 'the heap is full' });
      else resolve({ outcome: 'failed', detail: `ended without a verdict ${lastLine(stderr)}`.trim() });
    });
  });
}

interface Answer {
  readonly secret?: unknown;
  readonly passed: boolean;
  readonly broken?: boolean;
  readonly detail: string;
}

function readAnswer(stdout: string, secret: string): Answer | null {
  try {
    const answer = JSON.parse(Buffer.from(stdout, 'latin1').toString()) as Answer;
    return answer.secret === secret ? answer : null;
  } catch {
    return null;
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)!.slice(0, 300);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** Resident bytes of a process; 0 where the system does not tell. */
function residentBytes(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * 4096;
  } catch {
    return 0;
  }
}

let networkPrefix: readonly string[] | null = null;

/** The command that starts another one with no network interface; empty where there is none or it is not allowed. */
function withoutNetwork(): readonly string[] {
  if (networkPrefix) return networkPrefix;
  const isAllowed = (prefix: readonly string[]): boolean =>
    spawnSync(prefix[0]!, [...prefix.slice(1), 'true'], { stdio: 'ignore', timeout: 5000 }).status === 0;
  const prefixes = [
    ['unshare', '--net', '--'],
    ['unshare', '--user', '--net', '--'],
  ];
  networkPrefix = process.platform === 'linux' ? (prefixes.find(isAllowed) ?? []) : [];
  return networkPrefix;
}

function broken(reason: string): CompressionError {
  return new CompressionError(
    'RUNTIME_FAILED',
    `The sandbox for code does not work: ${reason}. Install the packages again (npm run setup); Python needs the package pyodide with its files.`,
    { reason },
  );
}
