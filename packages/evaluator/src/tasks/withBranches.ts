import {
  copyMessage,
  DataType,
  elementTypeOf,
  floatOf,
  intOf,
  type NodeProto,
  node,
  type OnnxModel,
  tensorInput,
} from '@quern/onnx';
import type { Device } from '@quern/runtime';

/** Inputs of a graph that runs packed branches. */
export const BRANCHES = {
  /** int64 `[sequence]`: the row of the rotary tables that each column takes. */
  positions: 'quern.positions',
  /** float32 `[1, 1, sequence, sequence]`: added to the scores of attention. */
  bias: 'quern.attention_bias',
} as const;

/** Other operators that look at where a column stands. */
const PLACES = new Set(
  'Attention MultiHeadAttention PagedAttention SparseAttention LinearAttention RotaryEmbedding'.split(' '),
);
/** Inputs of GroupQueryAttention. */
const [COSINE, SINE, POSITION_IDS, BIAS] = [7, 8, 9, 10] as const;

/**
 * A copy of the header that runs `packBranches`: every attention gets a bias, and its rotary tables are gathered by position, since the
 * kernel turns column c by row c. Null where that cannot be had: attention that is not GroupQueryAttention with its own rotation over a
 * float32 cache or without any, sliding windows, bounded scores, positions that come from elsewhere, sub-graphs, or a device other than the CPU.
 */
export function withBranches(model: OnnxModel, device: Device): OnnxModel | null {
  const graph = model.proto.graph;
  if (!graph || device !== 'cpu') return null;
  const attentions = graph.node.filter(({ opType }) => opType === 'GroupQueryAttention');
  const read = new Set(attentions.flatMap(({ input }) => input));
  const pasts = graph.input.filter(({ name }) => name.startsWith('past'));
  const isPlain =
    attentions.length > 0 &&
    attentions.every(own => rotatesAlone(own) || isUnturned(own)) &&
    pasts.every(past => read.has(past.name) && elementTypeOf(past) === DataType.FLOAT) &&
    !graph.input.some(({ name }) => name === 'position_ids') &&
    !graph.node.some(({ opType, attribute }) => PLACES.has(opType) || attribute.some(({ g }) => g));
  if (!isPlain) return null;
  const gathered = new Map<string, string>();
  const gather = (table: string): string => {
    const name = `${table}.quern_gathered`;
    gathered.set(table, name);
    return name;
  };
  const nodes = graph.node.map(own => {
    if (own.opType !== 'GroupQueryAttention') return own;
    const input = [...own.input];
    if (rotatesAlone(own)) [input[COSINE], input[SINE]] = [gather(input[COSINE]!), gather(input[SINE]!)];
    while (input.length < POSITION_IDS) input.push('');
    [input[POSITION_IDS], input[BIAS]] = ['', BRANCHES.bias];
    return copyMessage(own, { input });
  });
  const gathers = [...gathered].map(([table, name]) => node('Gather', [table, BRANCHES.positions], [name]));
  const inputs = [
    tensorInput(BRANCHES.positions, DataType.INT64, ['sequence_length']),
    tensorInput(BRANCHES.bias, DataType.FLOAT, [1, 1, 'sequence_length', 'sequence_length']),
  ];
  const branching = copyMessage(graph, { node: [...nodes, ...gathers], input: [...graph.input, ...inputs] });
  return { proto: copyMessage(model.proto, { graph: branching }), folder: model.folder };
}

/** Attention that turns queries and keys by tables of its own, and masks nothing but the future. */
function rotatesAlone(node: NodeProto): boolean {
  return intOf(node, 'do_rotary', 0) === 1 && has(node, COSINE) && has(node, SINE) && masksFutureAlone(node);
}

/** The same without turning: nothing but the bias tells it where a column stands. */
function isUnturned(node: NodeProto): boolean {
  return intOf(node, 'do_rotary', 0) === 0 && !has(node, COSINE) && !has(node, SINE) && masksFutureAlone(node);
}

function masksFutureAlone(node: NodeProto): boolean {
  const isBounded = floatOf(node, 'softcap', 0) > 0; // a bias before the bound would not mask
  return intOf(node, 'local_window_size', 0) <= 0 && !isBounded && !has(node, POSITION_IDS) && !has(node, BIAS);
}

function has({ input }: NodeProto, index: number): boolean {
  return (input[index] ?? '') !== '';
}
