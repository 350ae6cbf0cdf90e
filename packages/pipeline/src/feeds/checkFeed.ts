import { type FeedType, feedTypes } from './feedType.ts';
import type { GraphInput } from './graphInputs.ts';
import { invalidFeeds } from './invalidFeeds.ts';

/** What a file says of a tensor before its elements are read. */
export interface FeedHeader {
  readonly type: FeedType;
  readonly dims: readonly number[];
}

/** Finds the graph's input of this name. Errors: INVALID_FEEDS listing the inputs, and for one that has a stored value. */
export function findInput(inputs: readonly GraphInput[], name: string, where: string): GraphInput {
  const input = inputs.find(candidate => candidate.name === name);
  if (input?.isStored) {
    const message = `the input "${name}" has a value stored in the model, which ONNX Runtime does not let feeds replace: leave it out.`;
    throw invalidFeeds(where, message, { name });
  }
  if (input) return input;
  const known = inputs
    .filter(candidate => !candidate.isStored)
    .map(candidate => candidate.name)
    .join(', ');
  throw invalidFeeds(where, `the model has no input "${name}"; its inputs are ${known}.`, { name });
}

/**
 * Compares what a file holds with what the graph declares for the input.
 *
 * Errors: INVALID_FEEDS naming type or shape, and how to convert.
 */
export function checkFeed(input: GraphInput, header: FeedHeader, where: string): void {
  if (input.type === null) {
    throw invalidFeeds(where, `the input "${input.name}" takes ${input.typeName}, which feeds cannot hold.`);
  }
  if (header.type !== input.type) {
    const wanted = feedTypes[input.type].numpy;
    throw invalidFeeds(
      where,
      `holds ${header.type} for the input "${input.name}", which takes ${input.type}: save it with .astype('${wanted}').`,
      { name: input.name, type: header.type, expected: input.type },
    );
  }
  const { dims } = input;
  if (dims === null) return;
  const fits =
    header.dims.length === dims.length && header.dims.every((size, axis) => dims[axis] === null || dims[axis] === size);
  if (fits) return;
  const expected = `[${dims.map(size => size ?? '?').join(', ')}]`;
  throw invalidFeeds(
    where,
    `has the shape [${header.dims.join(', ')}] for the input "${input.name}", which takes ${expected}.`,
    { name: input.name, dims: header.dims, expected },
  );
}

/** Checks that a sample gives every input that has no stored value. Errors: INVALID_FEEDS naming the first that is missing. */
export function checkComplete(inputs: readonly GraphInput[], names: readonly string[], where: string): void {
  const missing = inputs.filter(input => !input.isStored && !names.includes(input.name));
  if (missing.length === 0) return;
  const list = missing.map(input => `"${input.name}"`).join(', ');
  throw invalidFeeds(where, `gives no tensor for ${list}: a sample holds one ${'`name.npy`'} for each input.`, {
    missing: missing.map(input => input.name),
  });
}
