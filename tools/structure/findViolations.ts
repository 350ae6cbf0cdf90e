import { checkDependencies } from './checkDependencies.ts';
import { checkFileShape } from './checkFileShape.ts';
import { checkImportDirection } from './checkImportDirection.ts';
import { checkManifests } from './checkManifests.ts';
import { checkSourceText } from './checkSourceText.ts';
import { checkWords } from './checkWords.ts';
import { readProject } from './readProject.ts';
import type { Violation } from './violation.ts';

/** Runs every rule of the repository's structure over the tree at `root`. */
export function findViolations(root: string): Violation[] {
  const files = readProject(root);
  return [
    ...checkImportDirection(files),
    ...checkDependencies(files),
    ...checkFileShape(files),
    ...checkSourceText(files),
    ...checkWords(files),
    ...checkManifests(root),
  ];
}
