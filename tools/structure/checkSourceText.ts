import { maskSource } from './maskSource.ts';
import { lineAt, type ProjectFile, type Violation } from './violation.ts';

interface TextRule {
  readonly rule: string;
  readonly pattern: RegExp;
  readonly message: string;
  readonly applies: (path: string) => boolean;
}

const RULES: readonly TextRule[] = [
  {
    rule: 'console',
    pattern: /\bconsole\s*[.[?]/g,
    message: 'packages do not print; send an event or return a value',
    applies: path => path.startsWith('packages/'),
  },
  {
    rule: 'export star',
    pattern: /\bexport\s*(?:type\s*)?\*/g,
    message: 'name every export',
    applies: () => true,
  },
  {
    rule: 'skipped test',
    pattern: /\b(?:describe|suite|it|test|bench)(?:\s*\.\s*\w+)*?\s*\.\s*(?:only|skip|todo)\b/g,
    message: 'left in a test; use skipIf with a reason where a test cannot run everywhere',
    applies: path => /\.test\.[cm]?[jt]s$/.test(path),
  },
];

/** What code may not say: printing in packages, `export *`, tests that are skipped or run alone. Comments and literals are free. */
export function checkSourceText(files: readonly ProjectFile[]): Violation[] {
  return files.flatMap(({ path, content }) => {
    if (!/\.[cm]?[jt]s$/.test(path) || path.includes('/generated/')) return [];
    const rules = RULES.filter(rule => rule.applies(path));
    const code = maskSource(content);
    return rules.flatMap(({ rule, pattern, message }) =>
      Array.from(code.matchAll(pattern), match => ({
        rule,
        path,
        line: lineAt(code, match.index),
        message: `${match[0].replace(/\s+/g, '')}: ${message}`,
      })),
    );
  });
}
