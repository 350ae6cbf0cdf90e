import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findViolations } from './structure/findViolations.ts';

const ROOT = join(import.meta.dirname, '..');

/** A small tree that keeps every rule, with what comes close to breaking one. */
const CLEAN: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ devDependencies: { vitest: '5.1.1', typescript: '7.0.2' } }),
  'packages/core/package.json': JSON.stringify({
    name: '@quern/core',
    dependencies: { '@quern/linalg': 'workspace:*' },
  }),
  'packages/core/src/index.ts': "export { a } from './a.ts';\n",
  'packages/core/src/a.ts':
    "import type { M } from '@quern/linalg';\n// console.log\nexport const a = 'console.log';\n",
  'packages/core/src/a.test.ts':
    "import { readFileSync } from 'node:fs';\nimport { it } from 'vitest';\nit.skipIf(true)('x', a);\n",
  'packages/linalg/package.json': JSON.stringify({ name: '@quern/linalg', dependencies: { koffi: '3.1.0' } }),
  'packages/linalg/src/index.ts': "const koffi = await import('koffi');\n",
  'packages/onnx/package.json': JSON.stringify({ name: '@quern/onnx' }),
  'packages/onnx/src/index.ts': 'export {};\n',
  'packages/onnx/src/generated/types.js': `export * from './x.js';\n${'\n'.repeat(600)}`,
  'packages/runtime/package.json': JSON.stringify({
    name: '@quern/runtime',
    dependencies: { '@quern/onnx': 'workspace:*' },
  }),
  'packages/runtime/src/index.ts': "import '@quern/onnx';\n",
  'packages/solvers/package.json': JSON.stringify({ name: '@quern/solvers' }),
  'packages/solvers/src/index.ts': 'export {};\n',
  'packages/solvers/src/solve.test.ts': "import 'node:fs';\n",
  'tools/tool.ts': "import ts from 'typescript';\nconsole.log(ts, 'https://example.org/home/page');\n",
};

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'quern-structure-'));
  for (const [path, content] of Object.entries(CLEAN)) plant(path, content);
});
afterEach(() => rmSync(root, { recursive: true }));

function plant(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

/** `path:line rule: message`, without the line where there is none. */
function found(): string[] {
  return findViolations(root).map(
    ({ rule, path, line, message }) => `${path}${line ? `:${line}` : ''} ${rule}: ${message}`,
  );
}

function manifest(name: string, change: object): string {
  return JSON.stringify({ name: `@quern/${name}`, ...change });
}

describe('a tree that keeps the rules', () => {
  it('has no violations', () => {
    expect(found()).toEqual([]);
  });
});

describe('direction of imports', () => {
  it.each([
    ['upwards, a type', 'core', "import type { X } from '@quern/solvers';", 'solvers stands above core'],
    ['upwards, dynamic', 'onnx', "\nawait import('@quern/cli');", 'cli stands above onnx'],
    ['upwards, from a path inside', 'linalg', "import '@quern/core/a';", 'core stands above linalg'],
    ['inside a level', 'solvers', "import '@quern/calibration';", 'solvers and calibration stand on one level'],
    ['the exception turned round', 'onnx', "import '@quern/runtime';", 'onnx and runtime stand on one level'],
    ['loader to what is not coder', 'loader', "import '@quern/linalg';", 'loader may import coder only, not linalg'],
    ['to nowhere', 'core', "import '@quern/magic';", 'there is no package magic'],
    ['from nowhere', 'magic', "import '@quern/core';", 'the package magic has no level'],
    ['by a relative path', 'core', "import '../../linalg/src/a.ts';", '../../linalg/src/a.ts leaves the package'],
    [
      'of Node in a page',
      'loader',
      "import { open } from 'node:fs/promises';",
      'loader may not import node:fs/promises',
    ],
    ['of Node in a pure package', 'solvers', "import { cpus } from 'node:os';", 'solvers may not import node:os'],
  ])('finds an import %s', (_, name, source, message) => {
    plant(`packages/${name}/src/bad.ts`, `${source}\n`);
    const line = source.startsWith('\n') ? 2 : 1;
    const expected = `packages/${name}/src/bad.ts:${line} import direction: ${message}`;
    expect(found()).toContainEqual(expect.stringContaining(expected));
  });

  it('leaves Node to the part of the loader that is for it, and to build tools', () => {
    plant('packages/loader/src/node/good.ts', "import 'node:fs/promises';\n");
    plant('packages/coder/tools/build.ts', "import 'node:fs/promises';\n");
    expect(found().filter(line => line.includes('node:'))).toEqual([]);
  });

  it('finds it in tests and in package.json too', () => {
    plant('packages/onnx/src/a.test.ts', "import '@quern/evaluator';\n");
    plant('packages/onnx/package.json', manifest('onnx', { devDependencies: { '@quern/evaluator': 'workspace:*' } }));
    expect(found()).toEqual([
      'packages/onnx/src/a.test.ts:1 import direction: evaluator stands above onnx',
      'packages/onnx/package.json import direction: dependency @quern/evaluator: evaluator stands above onnx',
    ]);
  });
});

describe('dependencies', () => {
  it('finds what is used and not declared', () => {
    plant('packages/core/src/b.ts', "import 'zod/v4';\nimport { it } from 'vitest';\n");
    plant('tools/other.ts', "import '@scope/name';\n");
    expect(found()).toEqual([
      'tools/other.ts:1 dependencies: @scope/name is not declared in package.json',
      'packages/core/src/b.ts:1 dependencies: zod is not declared in package.json',
      'packages/core/src/b.ts:2 dependencies: vitest is not declared in package.json',
    ]);
  });

  it('finds what is declared and not used, or in tests only', () => {
    plant(
      'packages/solvers/package.json',
      manifest('solvers', { dependencies: { zod: '4.6.7', '@quern/core': 'workspace:*' } }),
    );
    plant('packages/solvers/src/b.test.ts', "import 'zod';\n");
    expect(found()).toEqual([
      'packages/solvers/package.json dependencies: zod is declared and not imported outside tests',
      'packages/solvers/package.json dependencies: @quern/core is declared and not imported outside tests',
    ]);
  });

  it('finds versions that are not exact', () => {
    plant(
      'package.json',
      JSON.stringify({ devDependencies: { vitest: '^5.1.1', typescript: '7.0.2', other: 'latest' } }),
    );
    expect(found()).toEqual([
      'package.json dependencies: vitest has the version ^5.1.1, not an exact one',
      'package.json dependencies: other has the version latest, not an exact one',
    ]);
  });
});

describe('file shape', () => {
  it('warns above 300 lines and refuses above 500', () => {
    plant('packages/core/src/b.ts', 'a;\n'.repeat(300));
    expect(found()).toEqual([]);
    plant('packages/core/src/b.ts', 'a;\n'.repeat(301));
    expect(findViolations(root)).toMatchObject([{ rule: 'file size', path: 'packages/core/src/b.ts', warning: true }]);
    plant('packages/core/src/b.ts', 'a;\n'.repeat(500));
    expect(findViolations(root)).toMatchObject([{ warning: true }]);
    plant('packages/core/src/b.ts', 'a;\n'.repeat(501));
    expect(findViolations(root)).toMatchObject([{ rule: 'file size', warning: false }]);
  });

  it.each(['utils.ts', 'helpers.test.ts', 'Types.ts', 'common.js'])('finds a file named %s', name => {
    plant(`tools/${name}`, 'a;\n');
    expect(found()).toEqual([expect.stringMatching(`^tools/${name} file name: `)]);
  });
});

describe('source text', () => {
  it('finds console in packages', () => {
    plant('packages/core/src/b.ts', "a();\nconsole.log('x');\nconst { log } = console['x'];\n");
    expect(found()).toEqual([
      expect.stringMatching(/^packages\/core\/src\/b\.ts:2 console: /),
      expect.stringMatching(/^packages\/core\/src\/b\.ts:3 console: /),
    ]);
  });

  it('finds export star', () => {
    plant('packages/core/src/b.ts', "export * from './a.ts';\nexport type * as T from './a.ts';\n");
    expect(found()).toEqual([
      expect.stringMatching(/b\.ts:1 export star: /),
      expect.stringMatching(/b\.ts:2 export star: /),
    ]);
  });

  it.each(['it.only', 'describe.skip', 'test.skip.each', 'it.concurrent.only', 'test.todo'])(
    'finds %s in a test',
    call => {
      plant('packages/core/src/b.test.ts', `\n${call}('x', f);\n`);
      expect(found()).toEqual([expect.stringMatching(/^packages\/core\/src\/b\.test\.ts:2 skipped test: /)]);
    },
  );
});

describe('words', () => {
  it.each([
    [['see ', 'tmp', 'a.txt'].join('/')],
    [["open('", 'work', "main')"].join('/')],
    [['"', 'home', 'me/x"'].join('/')],
    [['https://registry', 'example', 'org'].join('.')],
    [['a work', 'place'].join('')],
    [['the issue', 'tracker'].join(' ')],
  ])('finds %j in any text', text => {
    plant('docs/page.md', `# Page\n\n${text}\n`);
    expect(found()).toEqual([expect.stringMatching(/^docs\/page\.md:3 words: /)]);
  });

  it('leaves binary files and node_modules alone', () => {
    const path = ['', 'tmp', 'x'].join('/');
    plant('image.bin', `\0${path}`);
    plant('node_modules/a/readme.md', path);
    expect(found()).toEqual([]);
  });

  it('takes the files that git would track where there is git', () => {
    execFileSync('git', ['init', '--quiet', root]);
    const path = ['', 'tmp', 'x'].join('/');
    plant('.gitignore', 'ignored/\n');
    plant('ignored/a.md', path);
    expect(found()).toEqual([]);
    plant('seen/a.md', path);
    expect(found()).toEqual([expect.stringMatching(/^seen\/a\.md:1 words: /)]);
  });
});

describe('manifests', () => {
  const sha256 = createHash('sha256').update('abc').digest('hex');

  it('compares listed files with what is there', () => {
    plant('models/m/a.txt', 'abc');
    plant('models/m/b.txt', 'abd');
    plant('calib-data/s/c.txt', 'abcd');
    const files = ['a.txt', 'b.txt', 'none.txt'].map(file => ({ file, bytes: 3, sha256 }));
    plant('models/m/manifest.json', JSON.stringify({ files }));
    plant(
      'calib-data/s/manifest.json',
      JSON.stringify({ parts: { calibration: { file: 'c.txt', bytes: 3, sha256 } } }),
    );
    plant('calib-data/t/manifest.json', '{}');
    expect(found()).toEqual([
      expect.stringMatching(/^models\/m\/manifest\.json manifest: b\.txt has the sha256 sum /),
      'models/m/manifest.json manifest: none.txt is not there',
      'calib-data/s/manifest.json manifest: c.txt has 4 bytes, listed are 3',
      'calib-data/t/manifest.json manifest: lists no files',
    ]);
  });
});

describe('the command', () => {
  function run(): { status: number | null; stdout: string } {
    const node = join(ROOT, 'node_modules/.bin/node');
    return spawnSync(node, [join(import.meta.dirname, 'checkStructure.ts'), root], { encoding: 'utf8' });
  }

  it('prints the violations and ends with 1 for errors, with 0 for warnings', () => {
    plant('packages/core/src/b.ts', 'a;\n'.repeat(301));
    const warned = run();
    expect(warned.stdout).toMatch(/^warning {2}packages\/core\/src\/b\.ts {2}file size: 301 lines/);
    expect(warned.stdout).toMatch(/structure: 0 errors, 1 warnings\n$/);
    expect(warned.status).toBe(0);
    plant('packages/core/src/utils.ts', 'a;\n');
    const failed = run();
    expect(failed.stdout).toMatch(/error {2}packages\/core\/src\/utils\.ts {2}file name: /);
    expect(failed.status).toBe(1);
  });
});
