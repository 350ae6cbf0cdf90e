// The child process of a Python problem; started by runSandboxed, which gives it the job on stdin and reads one line of stdout.
import { constants, readFileSync, readSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';

/** Reads all of stdin before anything foreign runs. */
function readJob() {
  const chunks = [];
  const chunk = Buffer.alloc(1 << 16);
  for (let count = readSync(0, chunk); count > 0; count = readSync(0, chunk))
    chunks.push(Buffer.from(chunk.subarray(0, count)));
  return JSON.parse(Buffer.concat(chunks).toString());
}

const { candidate, test, call, secret, pyodideUrl, snapshot } = readJob();
const answer = result => {
  writeSync(1, `${JSON.stringify({ secret, ...result })}\n`);
  process.reallyExit(0);
};

// The permission model refuses process.binding, of which Pyodide wants these numbers only.
process.binding = () => ({ fs: constants });
let pyodide;
try {
  const { loadPyodide } = await import(pyodideUrl);
  const ignore = () => {};
  pyodide = await loadPyodide({
    _loadSnapshot: readFileSync(snapshot),
    jsglobals: Object.create(null),
    stdout: ignore,
    stderr: ignore,
    stdin: () => null,
    env: {},
  });
} catch (error) {
  answer({ passed: false, broken: true, detail: String(error?.message ?? error).slice(0, 500) });
}
for (const name of ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'navigator']) delete globalThis[name];
Socket.prototype.connect = () => {
  throw new Error('there is no network here');
};
// Without these a Python program does not reach JavaScript.
const closed = [
  'js',
  'pyodide_js',
  'pyodide',
  'pyodide.code',
  'pyodide.ffi',
  'pyodide.http',
  '_pyodide',
  '_pyodide_core',
];
try {
  const run = pyodide.runPython(`
import sys
for _name in ${JSON.stringify(closed)}:
    sys.modules[_name] = None
sys.setrecursionlimit(1000)
def _run(candidate, test, call):
    space = {"__name__": "__main__"}
    exec(compile(candidate, "candidate", "exec"), space)
    exec(compile(test, "test", "exec"), space)
    if call:
        exec(compile(call, "call", "exec"), space)
_run
`);
  run(candidate, test, call);
  answer({ passed: true, detail: '' });
} catch (error) {
  const lines = String(error?.message ?? 'something was thrown')
    .trim()
    .split('\n');
  answer({ passed: false, detail: lines.at(-1).slice(0, 300) });
}
