import { describe, expect, it } from 'vitest';
import { createStopFilter } from './createStopFilter.ts';

function filterPieces(stops: readonly string[], pieces: readonly string[]) {
  const filter = createStopFilter(stops);
  const passed = pieces.map(piece => filter.push(piece));
  return { passed, rest: filter.end(), stopped: filter.stopped };
}

describe('createStopFilter', () => {
  it('cuts before a stop text that lies across pieces', () => {
    expect(filterPieces(['\nEND'], ['a\nE', 'N', 'D b', 'c'])).toEqual({
      passed: ['a', '', '', ''],
      rest: '',
      stopped: '\nEND',
    });
  });

  it('passes on at once what cannot be the beginning of one', () => {
    expect(filterPieces(['xyz'], ['ab', 'x', 'yx', 'yq'])).toEqual({
      passed: ['ab', '', 'xy', 'xyq'],
      rest: '',
      stopped: null,
    });
  });

  it('gives back a beginning that was never completed', () => {
    expect(filterPieces(['stop'], ['a sto'])).toEqual({ passed: ['a '], rest: 'sto', stopped: null });
  });

  it('takes the stop text that comes first in the text, not in the list', () => {
    expect(filterPieces(['two', 'one'], ['1 one two'])).toEqual({ passed: ['1 '], rest: '', stopped: 'one' });
  });

  it('gives the same text however it is cut', () => {
    const text = 'aabaabaacaab';
    const whole = text.slice(0, text.indexOf('aabaac'));
    for (let length = 1; length <= text.length; length++) {
      const pieces = text.match(new RegExp(`.{1,${length}}`, 'g'))!;
      const { passed, rest, stopped } = filterPieces(['', 'aabaac'], pieces);
      expect(passed.join('') + rest).toBe(whole);
      expect(stopped).toBe('aabaac');
    }
  });
});
