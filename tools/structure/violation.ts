/** One thing that is not as the rules of this repository ask. */
export interface Violation {
  readonly rule: string;
  /** From the repository's root, `/` between folders. */
  readonly path: string;
  /** Counted from 1; left out where the whole file is meant. */
  readonly line?: number;
  readonly message: string;
  /** A warning is printed and does not fail the check. */
  readonly warning?: boolean;
}

/** A file of the repository. */
export interface ProjectFile {
  /** From the repository's root, `/` between folders. */
  readonly path: string;
  readonly content: string;
}

/** The line, counted from 1, of a position in a text. */
export function lineAt(content: string, position: number): number {
  let line = 1;
  for (let index = content.indexOf('\n'); index >= 0 && index < position; index = content.indexOf('\n', index + 1))
    line++;
  return line;
}

/** Whether a source belongs to tests: it is one, or lies in a folder that only tests import. */
export function isTestSource(path: string): boolean {
  return /\.test\.[cm]?[jt]s$|\/(?:testing|testSupport)\//.test(path);
}
