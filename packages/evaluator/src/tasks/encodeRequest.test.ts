import { describe, expect, it } from 'vitest';
import { encodeRequest } from './encodeRequest.ts';

/** Words with the space before them are tokens; "ab" is one token where the whole text has it, as merges make it. */
const PIECES = [' the', ' cat', 'the', 'ab', 'a', 'b', ' sat', ' ', '\n', '?'];
function encode(text: string): Int32Array {
  const ids: number[] = [];
  for (let at = 0; at < text.length; ) {
    const id = PIECES.findIndex(piece => text.startsWith(piece, at));
    ids.push(id);
    at += PIECES[id]!.length;
  }
  return Int32Array.from(ids);
}
const encoding = { encode, bosTokenId: 99, eosTokenId: null, contextLength: null };
const encoded = (context: string, continuation: string, options = {}) => {
  const result = encodeRequest({ context, continuation }, { ...encoding, ...options });
  return result && { ids: [...result.window.ids], firstScored: result.window.firstScored, isCut: result.isCut };
};

describe('encodeRequest', () => {
  it('scores what the tokens of the context alone do not cover', () => {
    expect(encoded('the cat', ' sat')).toEqual({ ids: [99, 2, 1, 6], firstScored: 3, isCut: false });
    expect(encoded('the cat', ' sat', { bosTokenId: null })).toEqual({ ids: [2, 1, 6], firstScored: 2, isCut: false });
  });

  it('gives spaces at the end of the context to the continuation', () => {
    expect(encoded('the ', 'cat')).toEqual(encoded('the', ' cat'));
    expect(encoded('the \n', 'b')).toEqual({ ids: [99, 2, 7, 8, 5], firstScored: 2, isCut: false });
  });

  it('splits a token across the boundary by the count of the context', () => {
    // "a" is one token, "aba" is "ab", "a": one token is left for the continuation.
    expect(encoded('a', 'ba')).toEqual({ ids: [99, 3, 4], firstScored: 2, isCut: false });
    expect(encoded('a', 'b')).toBe(null);
  });

  it('begins an empty context with BOS, else EOS', () => {
    expect(encoded('', 'the')).toMatchObject({ ids: [99, 2], firstScored: 1 });
    expect(encoded('', 'the', { bosTokenId: null, eosTokenId: 98 })).toMatchObject({ ids: [98, 2], firstScored: 1 });
    expect(() => encoded('', 'the', { bosTokenId: null })).toThrow(/neither bos_token_id nor eos_token_id/);
  });

  it('cuts from the left: the last token need not fit, what is scored must', () => {
    expect(encoded('the cat the', ' cat', { contextLength: 4 })).toEqual({
      ids: [99, 2, 1, 0, 1],
      firstScored: 4,
      isCut: false,
    });
    expect(encoded('the cat the', ' cat', { contextLength: 2 })).toEqual({
      ids: [1, 0, 1],
      firstScored: 2,
      isCut: true,
    });
    expect(encoded('the', ' cat cat cat', { contextLength: 2 })).toBe(null);
  });
});
