import { describe, expect, it } from 'vitest';
import { chooseDocuments, joinDocuments, PART_LIMITS } from './chooseDocuments.ts';

const SEPARATOR = '<|endoftext|>';

function filesOf(count: number): { path: string; content: string }[] {
  return Array.from({ length: count }, (_, index) => ({
    path: `packages/a/src/file${index}.ts`,
    content: `// ${'word '.repeat(200 + index)}\n`,
  }));
}

function pathsOf(files: readonly { path: string }[]): string[] {
  return files.map(file => file.path);
}

describe('chooseDocuments', () => {
  it('fills both parts within their limits, without a file in both', () => {
    const { calibration, evaluation } = chooseDocuments(filesOf(200));
    for (const [files, limits] of [
      [calibration, PART_LIMITS.calibration],
      [evaluation, PART_LIMITS.evaluation],
    ] as const) {
      const bytes = Buffer.byteLength(joinDocuments(files));
      expect(bytes).toBeGreaterThan(limits.minimum);
      expect(bytes).toBeLessThanOrEqual(limits.maximum);
    }
    expect(pathsOf(calibration).filter(path => pathsOf(evaluation).includes(path))).toEqual([]);
  });

  it('sends a file to the part that the sum of its path says, whatever else is there or in which order', () => {
    const files = filesOf(5);
    const { calibration, evaluation } = chooseDocuments(files);
    // First 32 bits by sha256sum: 384dbd73, b383a186, 78716474, 75ff2a47 are 2 modulo 3, ae42ae9f is 0.
    expect(evaluation).toEqual([files[4]]);
    expect(calibration).toEqual([files[0], files[3], files[2], files[1]]);
    expect(chooseDocuments([...files].reverse())).toEqual({ calibration, evaluation });
    expect(chooseDocuments(files.slice(4))).toEqual({ calibration: [], evaluation });
  });

  it('leaves out what is no readable source of a middling size', () => {
    const content = 'const word = other; '.repeat(40);
    const kept = { path: 'packages/a/src/kept.ts', content };
    const { calibration, evaluation } = chooseDocuments([
      kept,
      { path: 'packages/a/src/generated/a.ts', content },
      { path: 'packages/a/src/a.d.ts', content },
      { path: 'packages/a/src/a.json', content },
      { path: 'packages/a/src/short.ts', content: 'const a = b;' },
      { path: 'packages/a/src/long.ts', content: content.repeat(20) },
      { path: 'packages/a/src/table.test.ts', content: 'const a = [0.25, 0.125, 17];\n'.repeat(40) },
      { path: 'packages/a/src/separator.ts', content: content + SEPARATOR },
    ]);
    expect([...calibration, ...evaluation]).toEqual([kept]);
  });
});

describe('joinDocuments', () => {
  it('puts the separator on a line of its own between two documents', () => {
    const files = [
      { path: 'a.ts', content: '\nfirst\n\n' },
      { path: 'b.ts', content: 'second' },
    ];
    expect(joinDocuments(files)).toBe(`first\n${SEPARATOR}\nsecond\n`);
  });
});
