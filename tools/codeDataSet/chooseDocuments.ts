import { createHash } from 'node:crypto';

/** A source file with its path from the repository's root, `/` between folders. */
export interface SourceFile {
  readonly path: string;
  readonly content: string;
}

/** Bytes of the texts that are made. Files are taken while they fit under the maximum. */
export const PART_LIMITS = {
  calibration: { minimum: 40_000, maximum: 60_000 },
  evaluation: { minimum: 25_000, maximum: 35_000 },
} as const;

const SEPARATOR = '<|endoftext|>';
const LARGEST_FILE = 12_000;
const SMALLEST_FILE = 400;

/**
 * Chooses the files of the code set's two parts.
 *
 * The sha256 of a path decides: every third file by it goes to evaluation, and its order decides which files are taken
 * first. So the parts never share a file, and a file added or removed moves no other one to the other part. Generated
 * files, declarations, tables of numbers, very short and very long files, and files that spell out the separator of
 * documents are left out.
 */
export function chooseDocuments(files: readonly SourceFile[]): Record<keyof typeof PART_LIMITS, SourceFile[]> {
  const candidates = files
    .filter(isCandidate)
    .map(file => ({ file, hash: createHash('sha256').update(file.path).digest('hex') }))
    .sort((one, other) => (one.hash < other.hash ? -1 : 1));
  const isEvaluation = (hash: string) => Number.parseInt(hash.slice(0, 8), 16) % 3 === 0;
  const filesWhere = (evaluation: boolean) =>
    candidates.filter(({ hash }) => isEvaluation(hash) === evaluation).map(({ file }) => file);
  return {
    calibration: takeWhileTheyFit(filesWhere(false), PART_LIMITS.calibration.maximum),
    evaluation: takeWhileTheyFit(filesWhere(true), PART_LIMITS.evaluation.maximum),
  };
}

/** The text of a part: one document a file, a line with the separator between two. */
export function joinDocuments(files: readonly SourceFile[]): string {
  return files.map(file => `${file.content.trim()}\n`).join(`${SEPARATOR}\n`);
}

function isCandidate({ path, content }: SourceFile): boolean {
  if (!path.endsWith('.ts') || path.endsWith('.d.ts') || path.includes('/generated/')) return false;
  if (content.length < SMALLEST_FILE || content.length > LARGEST_FILE || content.includes(SEPARATOR)) return false;
  const digits = content.replace(/[^0-9]/g, '').length;
  return digits < content.length / 10;
}

function takeWhileTheyFit(files: readonly SourceFile[], maximum: number): SourceFile[] {
  const taken: SourceFile[] = [];
  for (const file of files) {
    if (Buffer.byteLength(joinDocuments([...taken, file])) <= maximum) taken.push(file);
  }
  return taken;
}
