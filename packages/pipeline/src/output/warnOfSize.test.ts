import { expect, it } from 'vitest';
import type { PipelineEvent } from '../events.ts';
import { warnOfSize } from './warnOfSize.ts';

const warnings = (targetSize: string | undefined, compressedBytes: number): PipelineEvent[] => {
  const events: PipelineEvent[] = [];
  warnOfSize({ targetSize }, { compressedBytes }, event => events.push(event));
  return events;
};

it('says by how much a size was missed, and what to ask for', () => {
  const message = 'The result takes 2012345 bytes, 12345 more than --target-size 2MB: ask for 1987655.';
  expect(warnings('2MB', 2_012_345)).toEqual([{ kind: 'warning', message }]);
});

it('keeps still where the size is met, and where none was asked for', () => {
  expect(warnings('2MB', 2_000_000)).toEqual([]);
  expect(warnings(undefined, 2_000_000)).toEqual([]);
});
