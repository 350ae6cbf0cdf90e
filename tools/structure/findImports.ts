import { maskSource } from './maskSource.ts';
import { lineAt } from './violation.ts';

/** One module that a source names. */
export interface FoundImport {
  readonly specifier: string;
  readonly line: number;
}

/** Up to the quote of: import 'a', import b from 'a', export { b } from 'a', import('a'), require('a'), require.resolve('a'). */
const BEFORE_SPECIFIER =
  /(?:\bimport\s*|\b(?:import|export)\b[^;'"`()=]*?\bfrom\s*|\b(?:import|require|(?:require|import\.meta)\.resolve)\s*\(\s*)(?=['"`])/g;

/** Every module that a source imports: statements of both kinds, dynamic imports, `require`. Computed names are not seen. */
export function findImports(source: string): FoundImport[] {
  const masked = maskSource(source);
  const found: FoundImport[] = [];
  for (const match of masked.matchAll(BEFORE_SPECIFIER)) {
    const start = match.index + match[0].length;
    const end = masked.indexOf(masked[start]!, start + 1);
    const specifier = source.slice(start + 1, end);
    if (end > start && !specifier.includes('${')) found.push({ specifier, line: lineAt(source, start) });
  }
  return found;
}
