import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root, runQuern } from './runQuern.ts';

const run = promisify(execFile);
// Nothing of this process's surroundings: an empty PATH, no HOME, a folder with nothing in it.
const bare = { maxBuffer: 1 << 26, env: { PATH: '' } };

// Uncompressed, so that the test takes seconds; the size of the .tar.xz is checked by the tool when it makes one.
describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('the offline bundle', () => {
  let folder: string;
  let bundle: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quern-bundle-test-'));
    await run(process.execPath, [join(root, 'tools', 'bundle.ts'), '--out', join(folder, 'bundle.tar')]);
    await run('tar', ['-xf', join(folder, 'bundle.tar'), '-C', folder]);
    await rm(join(folder, 'bundle.tar'));
    bundle = join(folder, (await readdir(folder)).find(name => name.startsWith('quern-'))!);
    await mkdir(join(folder, 'empty'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('compresses and scores its demo model with an empty PATH, to the bytes that a checkout writes', async () => {
    const options = ['--method', 'rtn:4', '--evaluate', 'none', '--device', 'cpu', '--json'];
    const cwd = join(folder, 'empty');
    const model = join(bundle, 'models', 'demo');
    await run(join(bundle, 'quern'), ['compress', model, '--out', 'q4', ...options], { ...bare, cwd });
    const here = await runQuern('compress', join(root, 'models', 'demo'), '--out', join(folder, 'here'), ...options);
    expect(here.code, here.stderr).toBe(0);
    for (const name of ['model_q4.onnx', 'model_q4.onnx_data']) {
      const written = await readFile(join(cwd, 'q4', 'onnx', name));
      expect(written.equals(await readFile(join(folder, 'here', 'onnx', name))), name).toBe(true);
    }
    const { stdout } = await run(join(bundle, 'quern'), ['evaluate', 'q4', '--json'], { ...bare, cwd });
    expect(JSON.parse(stdout).perplexity).toBeLessThan(60);
  });

  it('has every package that the sources import, and what those load', async () => {
    const script = `
      import { readdirSync, readFileSync } from 'node:fs';
      for (const name of readdirSync('packages')) {
        const manifest = JSON.parse(readFileSync('packages/' + name + '/package.json'));
        for (const dependency of Object.keys(manifest.dependencies ?? {})) if (dependency !== 'pyodide') await import(dependency);
      }
      console.log('all');`;
    await writeFile(join(bundle, 'imports.mjs'), script);
    const { stdout } = await run(join(bundle, 'node', 'bin', 'node'), ['imports.mjs'], { ...bare, cwd: bundle });
    expect(stdout).toBe('all\n');
  });

  it('starts through a symbolic link, and finds the engines that a checkout finds', async () => {
    await symlink(join(bundle, 'quern'), join(folder, 'link'));
    const bundled = await run(join(folder, 'link'), ['doctor'], bare);
    const here = await run(process.execPath, [join(root, 'packages', 'cli', 'src', 'main.js'), 'doctor'], bare);
    // Devices below are measured anew each time.
    const engines = (stdout: string): string => stdout.split('\n\n')[0]!;
    expect(engines(bundled.stdout)).toBe(engines(here.stdout));
    expect(engines(here.stdout)).toContain('solvers multiply with');
  });

  it('says that Python is left out', async () => {
    const model = join(bundle, 'models', 'demo');
    const problems = join(folder, 'problems.jsonl');
    const problem = {
      task_id: 'HumanEval/0',
      prompt: 'def f():\n',
      entry_point: 'f',
      test: 'def check(f): pass',
      canonical_solution: '',
    };
    await writeFile(problems, JSON.stringify(problem));
    const asked = run(join(bundle, 'quern'), ['evaluate', model, '--code', 'humaneval', '--code-data', problems], bare);
    await expect(asked).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the offline bundle leaves out'),
    });
  });
});
