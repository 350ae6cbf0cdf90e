import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSandboxed } from './runSandboxed.ts';

const limits = { timeoutMs: 20_000, memoryBytes: 400e6 };
const javascript = (candidate: string, test = 'console.assert(answer() === 42)') =>
  runSandboxed({ language: 'javascript', candidate, test, call: '' }, limits);
const python = (candidate: string, test = 'assert answer() == 42') =>
  runSandboxed({ language: 'python', candidate, test, call: '' }, limits);
const quick = { ...limits, timeoutMs: 2500 };

let folder = '';
let target = '';
let url = '';
let hits = 0;
const server = createServer((_, response) => {
  hits++;
  response.end('reached');
});
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quern-sandbox-'));
  target = join(folder, 'target.txt');
  writeFileSync(join(folder, 'private.txt'), 'private words');
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(async () => {
  await new Promise(resolve => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

/** Ways to the outer realm, where `process` is. Each is an expression that must not give it. */
const ESCAPES = [
  `process`,
  `globalThis.constructor.constructor('return process')()`,
  `console.assert.constructor('return process')()`,
  `require.constructor('return process')()`,
  `(() => { try { require('crypto').createHash('md5').update(Symbol()).digest() } catch (error) { return error.constructor.constructor('return process')() } })()`,
  `(() => { const deep = () => { try { deep() } catch (error) { return error.constructor.constructor('return process')() } }; return deep() })()`,
  `(function () { return arguments.callee.caller.constructor('return process')() })()`,
];

describe('a JavaScript sandbox', () => {
  it('passes what is right and fails what is not', async () => {
    expect(await javascript('const answer = () => 42')).toEqual({ outcome: 'passed', detail: '' });
    expect(await javascript('const answer = () => 41')).toEqual({ outcome: 'failed', detail: 'assertion failed' });
    expect((await javascript('const answer = (')).outcome).toBe('failed');
  });

  it.each(ESCAPES)('does not give the outer realm to %s', async expression => {
    const run = await javascript(`const answer = () => { const found = ${expression}; return found.pid > 0 ? 42 : 0 }`);
    expect(run.outcome).toBe('failed');
  });

  it('cannot import, now or later', async () => {
    const attempt = `let answer = () => 42; import('node:fs').then(fs => fs.writeFileSync(${JSON.stringify(target)}, 'x'), error => {
      const outer = error.constructor.constructor('return process')();
      outer.getBuiltinModule('fs').writeFileSync(${JSON.stringify(target)}, 'x');
    })`;
    await javascript(attempt, 'console.assert(true)');
    expect(statSync(target, { throwIfNoEntry: false })).toBeUndefined();
  });

  it.each([
    ['an endless loop', 'const answer = () => { while (true); }', 'timeout'],
    [
      'an endless loop of promises',
      'const spin = () => Promise.resolve().then(spin); spin(); while (true);',
      'timeout',
    ],
  ])('ends %s', async (_, candidate, outcome) => {
    const program = { language: 'javascript', candidate, test: 'answer()', call: '' } as const;
    expect((await runSandboxed(program, quick)).outcome).toBe(outcome);
  });

  it.each([
    ['strings on the heap', 'const kept = []; while (true) kept.push(Array(1e5).fill(kept.length))'],
    ['buffers outside the heap', 'const kept = []; while (true) kept.push(new Uint8Array(1e7).fill(1))'],
    [
      'one growing buffer',
      'const grown = new ArrayBuffer(8, { maxByteLength: 4e9 }); while (true) { grown.resize(grown.byteLength + 1e7); new Uint8Array(grown).fill(1) }',
    ],
  ])('stops %s', async (_, candidate) => {
    expect((await javascript(candidate)).outcome).toBe('memory');
  });

  it.each([
    ['leaves before the tests', 'process.exit(0)'],
    ['replaces the assertion', 'console.assert = () => {}; const answer = () => 1'],
    ['declares its own console', 'const console = { assert() {} }; const answer = () => 1'],
    ['declares console by var', 'var console = { assert() {} }; const answer = () => 1'],
    ['comments the tests out', 'const answer = () => 1 /*'],
    ['swallows the tests', 'const answer = () => { return 1 }; const rest = () => {'],
    ['prints a verdict', `console.log('{"passed":true}'); const answer = () => 1`],
  ])('does not pass what %s', async (_, candidate) => {
    expect((await javascript(candidate)).outcome).toBe('failed');
  });

  it.each([
    'JSON.stringify = () => ""',
    'JSON = { stringify: () => "" }',
    'Array.prototype.toJSON = () => 1',
    'Object.prototype.toJSON = () => 1',
    'Math.abs = () => 0; JSON.parse = () => 1',
  ])('compares rightly after %s', async tampering => {
    const test = 'console.assert(JSON.stringify(answer()) === JSON.stringify([42]) && Math.abs(answer()[0] - 42) < 1)';
    expect((await javascript(`${tampering}; const answer = () => [41]`, test)).outcome).toBe('failed');
  });

  it('drops a flood of output', async () => {
    const flood = `const answer = () => { for (let i = 0; i < 1e5; i++) console.log('x'.repeat(1000)); return 42 }`;
    expect((await javascript(flood)).outcome).toBe('passed');
  });

  it('knows md5, which a problem asks for', async () => {
    const candidate = `const answer = () => require('crypto').createHash('md5').update('abc').digest('hex')`;
    const test = `console.assert(answer() === '900150983cd24fb0d6963f7d28e17f72')`;
    expect((await javascript(candidate, test)).outcome).toBe('passed');
  });
});

describe('a Python sandbox', () => {
  it('passes what is right and fails what is not', async () => {
    expect(await python('def answer():\n  return 42')).toEqual({ outcome: 'passed', detail: '' });
    expect(await python('def answer():\n  return 41')).toEqual({ outcome: 'failed', detail: 'AssertionError' });
    expect((await python('def answer(:')).detail).toMatch(/SyntaxError/);
  });

  it.each([
    ['leaves', 'import sys\nsys.exit(0)'],
    ['leaves at once', 'import os\nos._exit(0)'],
    ['starts processes', 'import os\nwhile True: os.fork()'],
    ['starts a shell', 'import subprocess\nsubprocess.run(["true"])\ndef answer(): return 42'],
    ['reaches JavaScript', 'import js\ndef answer(): return 42'],
    ['reaches Pyodide', 'from pyodide.code import run_js\ndef answer(): return 42'],
    ['reaches its inside', 'import _pyodide_core\ndef answer(): return 42'],
    ['opens a thread', 'import threading\nthreading.Thread(target=print).start()\ndef answer(): return 42'],
  ])('does not pass what %s', async (_, candidate) => {
    expect((await python(candidate)).outcome).toBe('failed');
  });

  it('reads and writes no file of the machine', async () => {
    const secret = JSON.stringify(join(folder, 'private.txt'));
    const read = await python(`text = open(${secret}).read()\ndef answer(): return 42`);
    expect(read.outcome).toBe('failed');
    await python(
      `import os\nos.makedirs(${JSON.stringify(folder)})\nopen(${JSON.stringify(target)}, "w").write("x")\ndef answer(): return 42`,
    );
    expect(statSync(target, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('reaches no network', async () => {
    const { hostname, port } = new URL(url);
    const connect = `import socket\nsocket.create_connection((${JSON.stringify(hostname)}, ${port}), 1).send(b"GET / HTTP/1.0\\r\\n\\r\\n")`;
    await python(`${connect}\ndef answer(): return 42`);
    await python(`import urllib.request\nurllib.request.urlopen(${JSON.stringify(url)})\ndef answer(): return 42`);
    expect(hits).toBe(0);
  });

  it('ends an endless loop, and a hog of memory', async () => {
    const loop = { language: 'python', candidate: 'while True: pass', test: '', call: '' } as const;
    expect((await runSandboxed(loop, { ...limits, timeoutMs: 8000 })).outcome).toBe('timeout');
    const hog = await python('kept = []\nwhile True: kept.append(bytearray(b"x") * 10_000_000)');
    expect(hog.outcome).not.toBe('passed');
  });
});
