import { expect, it } from 'vitest';
import { mixTextSets } from './mixTextSets.ts';
import type { TextSet } from './textSet.ts';

const set = (id: string, documents: readonly string[]): TextSet => ({
  id,
  path: id,
  sha256: `sum of ${id}`,
  licence: 'Apache-2.0',
  sources: [{ id, sha256: `sum of ${id}` }],
  documents,
});
const short = set(
  'short',
  Array.from({ length: 60 }, (_, index) => `s${String(index).padStart(9, '0')}`),
);
const long = set(
  'long',
  Array.from({ length: 20 }, (_, index) => `l${String(index).padStart(89, '0')}`),
);

it('takes every document once, in an order that the seed decides', () => {
  const mixed = mixTextSets('both', [short, long], 3);
  expect([...mixed.documents].sort()).toEqual([...short.documents, ...long.documents].sort());
  expect(mixTextSets('both', [short, long], 3)).toEqual(mixed);
  const other = mixTextSets('both', [short, long], 4);
  expect(other.documents).not.toEqual(mixed.documents);
  expect(other.sha256).not.toBe(mixed.sha256);
  expect(mixed.sources.map(source => source.id)).toEqual(['short', 'long']);
});

it('keeps the shares of the sets in every beginning, up to a document', () => {
  const { documents } = mixTextSets('both', [short, long], 0);
  const total = { s: 600, l: 1800 };
  const taken = { s: 0, l: 0 };
  for (const document of documents) {
    taken[document[0] as 's' | 'l'] += document.length;
    expect(Math.abs(taken.s / total.s - taken.l / total.l)).toBeLessThanOrEqual(90 / 1800);
  }
});

it('refuses a text of nothing', () => {
  expect(() => mixTextSets('none', [], 0)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
});
