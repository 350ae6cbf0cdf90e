import type { NamedTensors, PlainTensor } from '@quern/runtime';
import { checkFeed, findInput } from './checkFeed.ts';
import { type FeedType, feedTypes, viewElements } from './feedType.ts';
import type { GraphInput } from './graphInputs.ts';
import { invalidFeeds } from './invalidFeeds.ts';

type Value = number | boolean | string;

/** One tensor as JSON gives it: its elements in a row, not yet converted. */
interface JsonTensor {
  readonly type: FeedType | null;
  readonly dims: readonly number[];
  readonly values: readonly Value[];
}

const MOST_AXES = 32;

/**
 * Reads one sample from JSON: an object of tensors by input name, each nested arrays of numbers, or
 * `{ "type": "float32", "dims": [1, 3], "data": [1, 2, 3] }` (the type may be left out). Whole numbers may be strings of digits.
 *
 * Errors: INVALID_FEEDS naming the input and what does not fit the graph.
 */
export function parseJsonSample(text: string, inputs: readonly GraphInput[], where: string): NamedTensors {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw invalidFeeds(where, `is not valid JSON: ${(error as Error).message}`);
  }
  if (!isObject(parsed)) throw invalidFeeds(where, 'is no JSON object of tensors by input name.');
  const tensors: Record<string, PlainTensor> = {};
  for (const [name, content] of Object.entries(parsed)) {
    const input = findInput(inputs, name, where);
    const given = readTensor(content, name, where);
    const type = given.type ?? input.type ?? 'float32';
    checkFeed(input, { type, dims: given.dims }, where);
    tensors[name] = { type, dims: given.dims, data: convert(given.values, type, `${where}, input "${name}"`) };
  }
  return tensors;
}

function readTensor(content: unknown, name: string, where: string): JsonTensor {
  if (!isObject(content)) return { type: null, ...flatten(content, name, where) };
  const { type, dims, data, ...others } = content;
  const stray = Object.keys(others)[0];
  if (stray !== undefined) {
    throw invalidFeeds(where, `has the key "${stray}" in the input "${name}"; known are type, dims and data.`);
  }
  if (type !== undefined && !(typeof type === 'string' && Object.hasOwn(feedTypes, type))) {
    const known = Object.keys(feedTypes).join(', ');
    throw invalidFeeds(where, `gives the input "${name}" the type ${JSON.stringify(type)}; known are ${known}.`);
  }
  if (!Array.isArray(dims) || dims.length > MOST_AXES || !dims.every(size => Number.isSafeInteger(size) && size >= 0)) {
    throw invalidFeeds(where, `gives the input "${name}" no dims: a list of sizes, such as [1, 3].`);
  }
  const elementCount = dims.reduce((product: number, size: number) => product * size, 1);
  if (!Array.isArray(data) || data.length !== elementCount) {
    const found = Array.isArray(data) ? `holds ${data.length} values` : 'is no array';
    throw invalidFeeds(where, `data of the input "${name}" ${found}; dims [${dims.join(', ')}] take ${elementCount}.`);
  }
  return { type: (type as FeedType | undefined) ?? null, dims, values: data as Value[] };
}

/** Nested arrays to a row of elements. Errors: INVALID_FEEDS when they are no block. */
function flatten(content: unknown, name: string, where: string): { dims: number[]; values: Value[] } {
  const dims: number[] = [];
  for (let inner = content; Array.isArray(inner); inner = inner[0]) {
    dims.push(inner.length);
    if (dims.length > MOST_AXES)
      throw invalidFeeds(where, `nests the input "${name}" deeper than ${MOST_AXES} arrays.`);
  }
  let values: unknown[] = [content];
  for (const size of dims) {
    if (!values.every(value => Array.isArray(value) && value.length === size)) {
      throw invalidFeeds(where, `gives the input "${name}" rows of different lengths.`);
    }
    values = values.flat();
  }
  if (values.some(value => Array.isArray(value))) {
    throw invalidFeeds(where, `gives the input "${name}" rows of different lengths.`);
  }
  return { dims, values: values as Value[] };
}

function convert(values: readonly Value[], type: FeedType, where: string): PlainTensor['data'] {
  const data = viewElements(type, new ArrayBuffer(values.length * feedTypes[type].bytes));
  const halves = type === 'float16' ? new Float16Array(data.buffer as ArrayBuffer) : null;
  const target = halves ?? data;
  values.forEach((value, index) => {
    const element = convertOne(value, type);
    if (element === null) throw invalidFeeds(where, `holds ${JSON.stringify(value)} at ${index}, which is no ${type}.`);
    target[index] = element as never;
    if (!Number.isFinite(Number(target[index])))
      throw invalidFeeds(where, `holds ${value} at ${index}, beyond ${type}.`);
  });
  return data;
}

const INTEGER_LIMITS: Readonly<Partial<Record<FeedType, readonly [bigint, bigint]>>> = {
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint8: [0n, 255n],
  int8: [-128n, 127n],
};

function convertOne(value: unknown, type: FeedType): number | bigint | null {
  if (type === 'bool') return value === true || value === 1 ? 1 : value === false || value === 0 ? 0 : null;
  const limits = INTEGER_LIMITS[type];
  if (!limits) return typeof value === 'number' ? value : null;
  const isWhole = Number.isSafeInteger(value) || (typeof value === 'string' && /^-?\d{1,20}$/.test(value));
  if (!isWhole) return null;
  const integer = BigInt(value as number | string);
  if (integer < limits[0] || integer > limits[1]) return null;
  return type === 'int64' ? integer : Number(integer);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
