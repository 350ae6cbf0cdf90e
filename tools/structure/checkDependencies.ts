import { isBuiltin } from 'node:module';
import { directionFault, packageOf } from './checkImportDirection.ts';
import { findImports } from './findImports.ts';
import { isTestSource, type ProjectFile, type Violation } from './violation.ts';

interface PackageJson {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/**
 * What a package imports stands in its package.json and the other way round; tests may also use the root's development
 * dependencies. Dependencies follow the direction of imports, and versions are exact.
 */
export function checkDependencies(files: readonly ProjectFile[]): Violation[] {
  const root = manifestAt(files, 'package.json');
  return files.flatMap(file => {
    const folder = /^(packages\/[^/]+\/)?package\.json$/.exec(file.path);
    if (!folder) return [];
    const manifest = manifestAt(files, file.path);
    const sources = files.filter(source => isSource(source.path) && ownerOf(source.path) === (folder[1] ?? ''));
    return [
      ...checkVersions(file.path, manifest),
      ...checkDeclared(manifest, sources, root),
      ...(folder[1] ? [...checkUsed(file.path, manifest, sources), ...checkDirection(file.path, manifest)] : []),
    ];
  });
}

function manifestAt(files: readonly ProjectFile[], path: string): PackageJson {
  const file = files.find(candidate => candidate.path === path);
  return file ? (JSON.parse(file.content) as PackageJson) : {};
}

function isSource(path: string): boolean {
  return /\.[cm]?[jt]s$/.test(path) && !/^(?:models|calib-data)\//.test(path) && !path.includes('/assembly/');
}

/** The folder, with a slash at its end, whose package.json rules a source; empty for the root. */
function ownerOf(path: string): string {
  const name = packageOf(path);
  return name === null ? '' : `packages/${name}/`;
}

function checkVersions(path: string, manifest: PackageJson): Violation[] {
  const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
  return Object.entries(all)
    .filter(([, version]) => version !== 'workspace:*' && !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
    .map(([name, version]) => ({
      rule: 'dependencies',
      path,
      message: `${name} has the version ${version}, not an exact one`,
    }));
}

function checkDeclared(manifest: PackageJson, sources: readonly ProjectFile[], root: PackageJson): Violation[] {
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = manifest;
  const atRuntime = new Set(Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }));
  const anywhere = new Set([...atRuntime, ...Object.keys({ ...devDependencies, ...root.devDependencies })]);
  return sources.flatMap(({ path, content }) => {
    const isOfPackage = packageOf(path) !== null;
    const declared = isOfPackage && !isTestSource(path) && path.includes('/src/') ? atRuntime : anywhere;
    return bareImports(content)
      .filter(({ name }) => name !== manifest.name && !declared.has(name))
      .map(({ name, line }) => ({
        rule: 'dependencies',
        path,
        line,
        message: `${name} is not declared in package.json`,
      }));
  });
}

function checkUsed(path: string, manifest: PackageJson, sources: readonly ProjectFile[]): Violation[] {
  const used = new Set(sources.filter(source => !isTestSource(source.path)).flatMap(importedNames));
  return Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })
    .filter(name => !used.has(name))
    .map(name => ({ rule: 'dependencies', path, message: `${name} is declared and not imported outside tests` }));
}

function checkDirection(path: string, manifest: PackageJson): Violation[] {
  const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies });
  return names.flatMap(name => {
    const imported = /^@quern\/(.+)$/.exec(name)?.[1];
    const message = imported === undefined ? null : directionFault(packageOf(path)!, imported);
    return message === null ? [] : [{ rule: 'import direction', path, message: `dependency ${name}: ${message}` }];
  });
}

function importedNames(file: ProjectFile): string[] {
  return bareImports(file.content).map(({ name }) => name);
}

/** Names of packages that a source imports, without the paths inside them. */
function bareImports(content: string): { name: string; line: number }[] {
  return findImports(content)
    .filter(({ specifier }) => /^@?[a-z]/i.test(specifier) && !isBuiltin(specifier))
    .map(({ specifier, line }) => ({ name: /^(?:@[^/]+\/)?[^/]+/.exec(specifier)![0], line }));
}
