import { describe, expect, it } from 'vitest';
import { splitDocuments } from './splitDocuments.ts';

describe('splitDocuments', () => {
  it('splits at the separator, trims and drops what is empty', () => {
    const text = '  One.\n\nStill one.\n<|endoftext|>\nTwo<|endoftext|>three \r\n<|endoftext|>\n \n<|endoftext|>';
    expect(splitDocuments(text, 'x.txt')).toEqual(['One.\n\nStill one.', 'Two', 'three']);
  });

  it('takes the text fields of JSON lines, whole even with a separator inside', () => {
    const lines = '{"text":" a\\nb ","id":1}\r\n\n{"text":"c<|endoftext|>d"}\n{"text":"  "}';
    expect(splitDocuments(lines, 'x.JSONL.gz')).toEqual(['a\nb', 'c<|endoftext|>d']);
  });

  it.each([
    ['{"text":"a"}\n{"prompt":"b","answer":"c"}', /Line 2 of x\.jsonl has fields prompt, answer/],
    ['{"text":"a"}\n\n{"text":', /Line 3 of x\.jsonl has no object/],
    ['{"text":7}', /Line 1 of x\.jsonl has fields text/],
    ['', /holds no text/],
  ])('refuses the JSON lines %j', (lines, message) => {
    expect(() => splitDocuments(lines, 'x.jsonl')).toThrow(expect.objectContaining({ code: 'INVALID_DATA_SET' }));
    expect(() => splitDocuments(lines, 'x.jsonl')).toThrow(message);
  });

  it('refuses an empty text and a JSON file', () => {
    expect(() => splitDocuments(' \n<|endoftext|>\n', 'x.txt')).toThrow(/x\.txt holds no text/);
    expect(() => splitDocuments('[]', 'x.json.gz')).toThrow(/x\.json\.gz is JSON/);
  });
});
