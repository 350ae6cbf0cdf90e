// The child process of a JavaScript problem; started by runSandboxed, which gives it the job on stdin and reads one line of stdout.
import { createHash } from 'node:crypto';
import { readSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants, createContext, Script } from 'node:vm';

/** Reads all of stdin before anything foreign runs. */
function readJob() {
  const chunks = [];
  const chunk = Buffer.alloc(1 << 16);
  for (let count = readSync(0, chunk); count > 0; count = readSync(0, chunk))
    chunks.push(Buffer.from(chunk.subarray(0, count)));
  return JSON.parse(Buffer.concat(chunks).toString());
}

const { lockDown, candidate, test, secret } = readJob();
for (const name of ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'navigator']) delete globalThis[name];
Socket.prototype.connect = () => {
  throw new Error('there is no network here');
};

const md5 = text => createHash('md5').update(text).digest('hex');
const context = createContext(constants.DONT_CONTEXTIFY, { codeGeneration: { strings: true, wasm: false } });
const run = (source, filename) => new Script(source, { filename }).runInContext(context);

function describe(error) {
  try {
    const message = typeof error === 'object' && error !== null ? error.message : error;
    return typeof message === 'string' ? message.slice(0, 300) : 'something was thrown';
  } catch {
    return 'something was thrown';
  }
}

let result;
try {
  const failureCount = run(lockDown, 'sandbox')(md5);
  run(candidate, 'candidate');
  run(test, 'test');
  result = failureCount() === 0 ? { passed: true, detail: '' } : { passed: false, detail: 'an assertion failed' };
} catch (error) {
  result = { passed: false, detail: describe(error) };
}
writeSync(1, `${JSON.stringify({ secret, ...result })}\n`);
process.reallyExit(0);
