import { lineAt, type ProjectFile, type Violation } from './violation.ts';

interface WordRule {
  readonly pattern: RegExp;
  readonly message: string;
}

/** Written so that this file does not hold what it looks for. */
const RULES: readonly WordRule[] = [
  {
    pattern: /(?<![\w.~/\\-])\/(?:tmp|work|root|home|Users|farm)\/[\w.]+/g,
    message: 'is a path of one machine; make it relative, or ask the system for a temporary folder',
  },
  {
    pattern: /\b(?:registry\.\w+\.(?:org|com)|artifac[t]ory|verdac[c]io)\b/gi,
    message: 'names a package registry; leave that to the user’s set-up',
  },
  {
    pattern: /\bwork[p]lace|\bissue [t]racker/gi,
    message: 'is about how the work is organised, not about the project',
  },
];

/** No text of the repository names a path of a machine, a registry, or the organisation of the work. */
export function checkWords(files: readonly ProjectFile[]): Violation[] {
  return files.flatMap(({ path, content }) =>
    RULES.flatMap(({ pattern, message }) =>
      Array.from(content.matchAll(pattern), match => ({
        rule: 'words',
        path,
        line: lineAt(content, match.index),
        message: `"${match[0]}" ${message}`,
      })),
    ),
  );
}
