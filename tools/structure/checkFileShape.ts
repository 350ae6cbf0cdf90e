import type { ProjectFile, Violation } from './violation.ts';

const LINE_LIMIT = 500;
const LINE_SIGNAL = 300;
const EMPTY_NAMES = new Set(['utils', 'helpers', 'types', 'common']);

/** No source above 500 lines, a warning above 300, and no file named after nothing. Generated files are left alone. */
export function checkFileShape(files: readonly ProjectFile[]): Violation[] {
  return files.flatMap(({ path, content }) => {
    if (!/\.[cm]?[jt]s$/.test(path) || path.includes('/generated/')) return [];
    const found: Violation[] = [];
    const lines = content.split('\n').length - (content.endsWith('\n') ? 1 : 0);
    if (lines > LINE_SIGNAL) {
      const warning = lines <= LINE_LIMIT;
      const limit = warning ? `over ${LINE_SIGNAL} is a sign of two things in one` : `the limit is ${LINE_LIMIT}`;
      found.push({ rule: 'file size', path, message: `${lines} lines; ${limit}`, warning });
    }
    const stem = path.split('/').at(-1)!.split('.')[0]!;
    if (EMPTY_NAMES.has(stem.toLowerCase())) {
      found.push({ rule: 'file name', path, message: `${stem} says nothing; name the file after its main export` });
    }
    return found;
  });
}
