import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { ProjectFile } from './violation.ts';

const NOT_OURS = new Set(['.git', 'node_modules', 'out', 'runs', '.cache']);
const LARGEST_TEXT = 4_000_000;

/**
 * Reads the text files of a repository: what git tracks or would track, or, where there is no git, every file outside
 * `node_modules` and output folders. Binary files are left out.
 */
export function readProject(root: string): ProjectFile[] {
  const files: ProjectFile[] = [];
  for (const path of listByGit(root) ?? listByWalking(root, root)) {
    const status = existsSync(join(root, path)) ? statSync(join(root, path)) : null;
    if (!status?.isFile() || status.size > LARGEST_TEXT) continue;
    const content = readFileSync(join(root, path), 'utf8');
    if (!content.includes('\0')) files.push({ path, content });
  }
  return files.sort((one, other) => (one.path < other.path ? -1 : 1));
}

function listByGit(root: string): string[] | null {
  if (!existsSync(join(root, '.git'))) return null;
  try {
    const listed = execFileSync('git', ['-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 2 ** 28,
    });
    return [...new Set(listed.split('\0'))].filter(path => path !== '');
  } catch {
    return null;
  }
}

function listByWalking(root: string, folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : listByWalking(root, path);
    return entry.isFile() ? [relative(root, path).split(sep).join('/')] : [];
  });
}
