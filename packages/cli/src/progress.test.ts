import { expect, it } from 'vitest';
import { createProgress } from './progress.ts';

function record(isTTY: boolean): {
  text(): string;
  progress: ReturnType<typeof createProgress>;
  advance(ms: number): void;
} {
  const written: string[] = [];
  let time = 0;
  const target = { isTTY, columns: 100, write: (text: string) => void written.push(text) };
  return {
    text: () => written.join(''),
    progress: createProgress(target, () => time),
    advance: ms => {
      time += ms;
    },
  };
}

it('shows share, rate and time left on a terminal', () => {
  const { text, progress, advance } = record(true);
  progress.emit({ kind: 'stage', stage: 'solve', detail: '4 sites' });
  advance(2000);
  progress.emit({ kind: 'progress', stage: 'solve', done: 1, total: 4, unit: 'sites', detail: 'block 0 of 1' });
  expect(text()).toContain('[######..................] 25 % solve  0.5 sites/s, 6.0s left  (block 0 of 1)');
});

it('writes plain lines when stderr is no terminal, one every ten seconds and one when a stage ends', () => {
  const { text, progress, advance } = record(false);
  progress.emit({ kind: 'stage', stage: 'evaluate result', detail: 'stories' });
  advance(1000);
  progress.emit({ kind: 'progress', stage: 'evaluate result', done: 50, total: 100, unit: 'tokens' });
  advance(9000);
  progress.emit({ kind: 'progress', stage: 'evaluate result', done: 80, total: 100, unit: 'tokens' });
  advance(6000);
  progress.emit({ kind: 'progress', stage: 'evaluate result', done: 100, total: 100, unit: 'tokens' });
  progress.emit({ kind: 'warning', message: 'no tokenizer' });
  progress.finish();
  expect(text()).toBe(
    [
      'evaluate result: stories',
      '80 % evaluate result  8.0 tokens/s, 2.5s left',
      'warning: no tokenizer',
      'evaluate result: 100 tokens in 16s, 6.3 tokens/s',
      '',
    ].join('\n'),
  );
});

it('counts by the minute or the hour what takes long', () => {
  const { text, progress, advance } = record(false);
  progress.emit({ kind: 'stage', stage: 'compare', detail: '3 rows' });
  advance(30_000);
  progress.emit({ kind: 'progress', stage: 'compare', done: 1, total: 3, unit: 'rows' });
  advance(3_570_000);
  progress.emit({ kind: 'progress', stage: 'compare', done: 2, total: 3, unit: 'rows' });
  expect(text()).toContain('33 % compare  2.0 rows/min, 1m 0s left');
  expect(text()).toContain('67 % compare  2.0 rows/h');
});
