/**
 * Checks the structure of the repository: direction of imports, dependencies, file sizes and names, words that may not
 * stand in it, manifests. `node tools/checkStructure.ts [root]`; exit code 1 when a rule is broken.
 */
import { join } from 'node:path';
import { findViolations } from './structure/findViolations.ts';

const root = process.argv[2] ?? join(import.meta.dirname, '..');
const violations = findViolations(root);
for (const { rule, path, line, message, warning } of violations) {
  console.log(`${warning ? 'warning' : 'error'}  ${line ? `${path}:${line}` : path}  ${rule}: ${message}`);
}
const errors = violations.filter(violation => !violation.warning).length;
console.log(`structure: ${errors} errors, ${violations.length - errors} warnings`);
process.exitCode = errors === 0 ? 0 : 1;
