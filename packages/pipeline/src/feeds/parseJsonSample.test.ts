import { describe, expect, it } from 'vitest';
import type { GraphInput } from './graphInputs.ts';
import { parseJsonSample } from './parseJsonSample.ts';

const input = (name: string, type: GraphInput['type'], dims: GraphInput['dims']): GraphInput => ({
  name,
  type,
  typeName: String(type),
  dims,
  isStored: false,
});
const INPUTS = [
  input('x', 'float32', [null, 2]),
  input('ids', 'int64', null),
  input('flag', 'bool', [1]),
  input('half', 'float16', [null]),
  input('bytes', 'uint8', [null]),
  input('names', null, [1]),
];
const parse = (content: unknown) => parseJsonSample(JSON.stringify(content), INPUTS, 'sample.json');

it('reads nested arrays in the types of the graph', () => {
  expect(parse({ x: [[1, 2.5]], ids: [[3, -4]], flag: [true], half: [1, -2], bytes: [0, 255] })).toEqual({
    x: { type: 'float32', dims: [1, 2], data: Float32Array.of(1, 2.5) },
    ids: { type: 'int64', dims: [1, 2], data: BigInt64Array.of(3n, -4n) },
    flag: { type: 'bool', dims: [1], data: Uint8Array.of(1) },
    half: { type: 'float16', dims: [2], data: Uint16Array.of(0x3c00, 0xc000) },
    bytes: { type: 'uint8', dims: [2], data: Uint8Array.of(0, 255) },
  });
});

it('reads dims and data, also without elements', () => {
  expect(parse({ ids: { type: 'int64', dims: [2, 1, 0, 8], data: [] }, x: { dims: [1, 2], data: [1, 2] } })).toEqual({
    ids: { type: 'int64', dims: [2, 1, 0, 8], data: new BigInt64Array(0) },
    x: { type: 'float32', dims: [1, 2], data: Float32Array.of(1, 2) },
  });
});

it('reads a scalar, and whole numbers beyond 2^53 from strings', () => {
  expect(parse({ ids: 16000 }).ids).toEqual({ type: 'int64', dims: [], data: BigInt64Array.of(16000n) });
  expect(parse({ ids: ['9007199254740993'] }).ids!.data).toEqual(BigInt64Array.of(9007199254740993n));
});

describe('refuses', () => {
  it.each([
    ['what is no object', [1], /no JSON object/],
    ['an unknown input', { y: [1] }, /no input "y"; its inputs are x, ids, flag/],
    ['rows of different lengths', { x: [[1, 2], [3]] }, /rows of different lengths/],
    ['numbers beside rows', { x: [1, [2]] }, /rows of different lengths/],
    ['a shape that does not fit', { x: [[1, 2, 3]] }, /shape \[1, 3\].*takes \[\?, 2\]/],
    ['another rank', { x: [1, 2] }, /shape \[2\].*takes \[\?, 2\]/],
    ['another type', { x: { type: 'float64', dims: [1, 2], data: [1, 2] } }, /float64.*float32.*astype\('float32'\)/],
    ['a type that does not exist', { x: { type: 'float31', dims: [1, 2], data: [1, 2] } }, /known are float32/],
    ['a key that is not known', { x: { dims: [1, 2], values: [1, 2] } }, /key "values"/],
    ['too few elements', { x: { dims: [1, 2], data: [1] } }, /holds 1 values; dims \[1, 2\] take 2/],
    ['a claim of 4 TB', { x: { dims: [2 ** 40, 2], data: [1] } }, /holds 1 values/],
    ['negative dims', { x: { dims: [-1, 2], data: [] } }, /no dims/],
    ['text where numbers belong', { x: [['1', '2']] }, /"1" at 0, which is no float32/],
    ['null', { x: [[null, 1]] }, /null at 0/],
    ['a broken number', { ids: [1.5] }, /1.5 at 0, which is no int64/],
    ['a number beyond the type', { bytes: [256] }, /256 at 0, which is no uint8/],
    ['a number beyond float16', { half: [1e6] }, /1000000 at 0, beyond float16/],
    ['a type that feeds cannot have', { names: [1] }, /cannot hold/],
  ])('%s', (_name, content, message) => {
    const run = () => parse(content);
    expect(run).toThrow(message);
    expect(run).toThrow(expect.objectContaining({ code: 'INVALID_FEEDS' }));
  });

  it('text that is no JSON', () => {
    expect(() => parseJsonSample('{ "x": ', INPUTS, 'sample.json')).toThrow(/sample\.json: is not valid JSON/);
  });

  it('arrays nested thousands deep', () => {
    const text = `{"x": ${'['.repeat(5000)}1${']'.repeat(5000)}}`;
    expect(() => parseJsonSample(text, INPUTS, 'sample.json')).toThrow(/deeper than 32/);
  });
});
