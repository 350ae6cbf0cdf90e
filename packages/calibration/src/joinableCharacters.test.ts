import { describe, expect, it } from 'vitest';
import { joinableCharacters } from './joinableCharacters.ts';

describe('joinableCharacters', () => {
  it('takes the joint of every merge, in both spellings of a merge', () => {
    const pairs = joinableCharacters({
      type: 'BPE',
      merges: ['a b', ['ab', 'c'], ['c', 'ab']],
    });
    expect([...pairs!].sort()).toEqual(['ab', 'bc', 'ca']);
  });

  it('reads characters beyond the basic plane as one', () => {
    expect([...joinableCharacters({ type: 'BPE', merges: [['x😀', '😁y']] })!]).toEqual(['😀😁']);
  });

  it('takes the pairs inside unigram pieces', () => {
    const vocab = [
      ['abc', -1],
      ['d', -2],
      ['▁a', -3],
    ];
    expect([...joinableCharacters({ type: 'Unigram', vocab })!].sort()).toEqual(['ab', 'bc', '▁a']);
  });

  it('gives up where cutting could change ids', () => {
    expect(joinableCharacters({ type: 'BPE', merges: [], ignore_merges: true })).toBeNull();
    expect(joinableCharacters({ type: 'BPE', merges: [], end_of_word_suffix: '</w>' })).toBeNull();
    expect(joinableCharacters({ type: 'BPE', merges: [], continuing_subword_prefix: '##' })).toBeNull();
    expect(joinableCharacters({ type: 'WordPiece', vocab: {} })).toBeNull();
  });
});
