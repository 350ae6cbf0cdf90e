import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface PackageJson {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** What runs when a package does: folders of the workspace and of others, each once. */
export interface Dependencies {
  /** Names of folders in `packages/`. */
  readonly workspace: readonly string[];
  /** Name of a package to the real folder that holds it. */
  readonly external: ReadonlyMap<string, string>;
}

/**
 * Follows `dependencies` and the installed `optionalDependencies` from a folder, as Node resolves them. Packages named in `without`
 * are not followed. Throws when one name stands for two versions, since a flat node_modules has room for one.
 */
export function findDependencies(start: string, without: ReadonlySet<string>): Dependencies {
  const workspace = new Set<string>();
  const external = new Map<string, string>();
  const waiting = [realpathSync(start)];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageJson;
    const { name } = manifest;
    if (name.startsWith('@quern/')) {
      const short = name.slice('@quern/'.length);
      if (workspace.has(short)) continue;
      workspace.add(short);
    } else {
      const known = external.get(name);
      if (known === folder) continue;
      if (known)
        throw new Error(`${name} is needed in two versions, ${known} and ${folder}; the bundle has room for one.`);
      external.set(name, folder);
    }
    for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
      if (without.has(dependency)) continue;
      const found = resolveFolder(folder, dependency);
      if (found) waiting.push(found);
      else if (!manifest.optionalDependencies?.[dependency])
        throw new Error(`${name} needs ${dependency}, which is not installed.`);
    }
  }
  return { workspace: [...workspace].sort(), external: new Map([...external].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

function resolveFolder(from: string, name: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(candidate)) return realpathSync(candidate);
    if (folder === dirname(folder)) return null;
  }
}
