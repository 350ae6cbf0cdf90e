import { chmod, cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { findDependencies } from './findDependencies.ts';

/** 14 MB of Python that only `evaluate --code` with Python problems needs; it says so when asked. */
const leftOut = new Set(['pyodide']);

/** Parts of packages that Node never reads: other platforms, other module formats, sources. */
const unread: Readonly<Record<string, readonly string[]>> = {
  '@bufbuild/protobuf': ['dist/cjs'],
  echarts: ['dist', 'i18n', 'theme', 'types'],
  koffi: ['doc', 'lib', 'vendor'],
  mathjs: ['bin', 'lib/browser', 'lib/cjs', 'types'],
  'onnxruntime-node': ['bin/napi-v6/darwin', 'bin/napi-v6/win32', 'bin/napi-v6/linux/arm64', 'lib'],
  piscina: ['benchmark', 'docs', 'src', 'test'],
  yaml: ['browser'],
  zod: ['src'],
  zrender: ['dist', 'build'],
};

/**
 * Lays out everything that `quern` needs under `folder`: Node, the sources of the workspace, the production packages in one flat
 * node_modules, texts, the demo model, benchmarks. Cost: 200 MB of disk.
 */
export async function stageBundle(root: string, folder: string): Promise<void> {
  const { workspace, external } = findDependencies(join(root, 'packages', 'cli'), leftOut);
  await mkdir(join(folder, 'node', 'bin'), { recursive: true });
  await cp(process.execPath, join(folder, 'node', 'bin', 'node'), { dereference: true });
  await cp(join(root, 'tools', 'bundle', 'quern.sh'), join(folder, 'quern'));
  await chmod(join(folder, 'quern'), 0o755);
  for (const name of [
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
    'package.json',
    'calib-data',
    'models',
    'benchmarks',
    'tools/syntheticCheckpoint',
  ]) {
    await cp(join(root, name), join(folder, name), { recursive: true, filter: isSource });
  }
  await mkdir(join(folder, 'node_modules', '@quern'), { recursive: true });
  for (const name of workspace) {
    for (const part of ['package.json', 'src']) {
      await cp(join(root, 'packages', name, part), join(folder, 'packages', name, part), {
        recursive: true,
        filter: isSource,
      });
    }
    await symlink(join('..', '..', 'packages', name), join(folder, 'node_modules', '@quern', name));
  }
  for (const [name, source] of external) await copyPackage(name, source, join(folder, 'node_modules', name));
}

async function copyPackage(name: string, source: string, target: string): Promise<void> {
  const skipped = new Set((unread[name] ?? []).map(path => join(source, path)));
  for (const path of skipped) await readdir(path); // a list that no longer fits the package is a mistake
  await cp(source, target, {
    recursive: true,
    dereference: true,
    filter: path => !skipped.has(path) && isRead(relative(source, path)),
  });
}

function isRead(path: string): boolean {
  if (path.split(sep).includes('node_modules')) return false;
  return (
    !/\.(?:[cm]?ts|map|flow|markdown|cc|hh|S|asm)$/.test(path) &&
    !(path.endsWith('.md') && !/licen[cs]e|notice/i.test(path))
  );
}

function isSource(path: string): boolean {
  return !/\.test\.ts$/.test(path) && basename(path) !== 'node_modules';
}
