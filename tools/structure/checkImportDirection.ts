import { posix } from 'node:path';
import { findImports } from './findImports.ts';
import { isTestSource, type ProjectFile, type Violation } from './violation.ts';

/** Highest first. A package imports from lower levels only. */
const LEVELS: readonly (readonly string[])[] = [
  ['cli'],
  ['pipeline'],
  ['solvers', 'calibration', 'importer', 'evaluator'],
  ['runtime', 'onnx'],
  ['core', 'loader'],
  ['linalg', 'coder'],
];

/** The one import that is allowed inside a level. */
const INSIDE_A_LEVEL = new Set(['runtime -> onnx']);

/** Pure packages, which run where Node does not; the loader keeps what is Node's in a folder of its own. */
const WITHOUT_NODE = new Set(['solvers', 'coder', 'loader']);

/**
 * Imports follow the levels of the packages and never turn back; `loader` takes `coder` only; no file reaches into
 * another package by a relative path; pure packages take nothing from Node outside their tests.
 */
export function checkImportDirection(files: readonly ProjectFile[]): Violation[] {
  return files.flatMap(file => {
    const home = packageOf(file.path);
    if (home === null || !/\.[cm]?[jt]s$/.test(file.path)) return [];
    return findImports(file.content).flatMap(({ specifier, line }) => {
      const message = faultOf(home, file.path, specifier);
      return message === null ? [] : [{ rule: 'import direction', path: file.path, line, message }];
    });
  });
}

function faultOf(home: string, path: string, specifier: string): string | null {
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(path), specifier);
    const inside = target.startsWith(`packages/${home}/`);
    return inside ? null : `${specifier} leaves the package; import it by its package name`;
  }
  const imported = /^@quern\/([^/]+)/.exec(specifier)?.[1];
  if (imported !== undefined) return directionFault(home, imported);
  const isBound = path.includes('/src/') && !path.startsWith('packages/loader/src/node/') && !isTestSource(path);
  if (specifier.startsWith('node:') && WITHOUT_NODE.has(home) && isBound) return `${home} may not import ${specifier}`;
  return null;
}

/** Why a package may not import another one, or null where it may. */
export function directionFault(home: string, imported: string): string | null {
  const from = levelOf(home);
  const to = levelOf(imported);
  if (from < 0) return `the package ${home} has no level; add it to tools/structure/checkImportDirection.ts`;
  if (to < 0) return `there is no package ${imported}`;
  if (home === imported || INSIDE_A_LEVEL.has(`${home} -> ${imported}`)) return null;
  if (home === 'loader' && imported !== 'coder') return `loader may import coder only, not ${imported}`;
  if (to > from) return null;
  return to === from ? `${home} and ${imported} stand on one level` : `${imported} stands above ${home}`;
}

function levelOf(name: string): number {
  return LEVELS.findIndex(level => level.includes(name));
}

/** The folder name of the package that a path lies in. */
export function packageOf(path: string): string | null {
  return /^packages\/([^/]+)\//.exec(path)?.[1] ?? null;
}
