import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Run, root } from './runQuern.ts';

const POLL_MS = 8;

/** A command line that runs in a process group of its own, as under a shell. */
export interface Started {
  /** Resolves when the process has ended; `code` is -1 for one that a signal ended. */
  readonly ended: Promise<Run>;
  hasEnded(): boolean;
  /** What stands on stdout so far. */
  output(): string;
  /** The same of stderr. */
  messages(): string;
  /** Sends a signal to the process and everything it started. */
  signalGroup(signal: NodeJS.Signals): void;
  /** Sends a signal to the process alone. */
  signal(signal: NodeJS.Signals): void;
}

/** Starts the command line and does not wait for it. */
export function startQuern(...args: readonly string[]): Started {
  const main = join(root, 'packages', 'cli', 'src', 'main.js');
  const child = spawn(process.execPath, [main, ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  let [stdout, stderr, running] = ['', '', true];
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const ended = new Promise<Run>(resolve => {
    child.on('close', code => {
      running = false;
      resolve({ code: code ?? -1, stdout, stderr });
    });
  });
  return {
    ended,
    hasEnded: () => !running,
    output: () => stdout,
    messages: () => stderr,
    signalGroup(signal) {
      if (running) process.kill(-child.pid!, signal);
    },
    signal(signal) {
      child.kill(signal);
    },
  };
}

/** Waits until a condition holds or the process has ended; returns whether it held. */
export async function waitUntil(started: Started, condition: () => boolean): Promise<boolean> {
  while (!condition()) {
    if (started.hasEnded()) return condition();
    await sleep(POLL_MS);
  }
  return true;
}
