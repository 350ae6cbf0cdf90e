import type { BlockLayout, ContainerBits } from '@quern/coder';
import { intOf } from '../attributeValue.ts';
import type { NodeProto, TensorProto } from '../generated/onnx_pb.js';
import { type GraphScope, graphScopes, indexDefinitions } from '../graphScopes.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { tensorSize } from '../read/tensorSize.ts';

/** An initializer that holds packed codes, and how they lie in it. */
export interface StoredCodes {
  readonly tensor: TensorProto;
  /** The graph whose initializer it is. */
  readonly scope: GraphScope;
  /** Where only the padded width is known, the padding counts as columns. */
  readonly layout: BlockLayout;
  /** `codes` of weights, or `zeroPoints` of their groups. */
  readonly role: 'codes' | 'zeroPoints';
}

/** Every initializer with codes that an n-bit kernel reads as it is stored, each once. */
export function findStoredCodes(model: OnnxModel): StoredCodes[] {
  const scopes = graphScopes(model);
  const index = indexDefinitions(scopes);
  const found = new Map<TensorProto, StoredCodes>();
  for (const scope of scopes) {
    for (const node of scope.graph.node) {
      for (const { input, role, layout } of readsOf(node)) {
        const definition = index.find(scope, input);
        if (definition?.kind !== 'initializer' || found.has(definition.tensor)) continue;
        const filled = layout(definition.tensor);
        if (filled) found.set(definition.tensor, { ...definition, role, layout: filled });
      }
    }
  }
  return [...found.values()];
}

interface CodeRead {
  readonly input: string;
  readonly role: StoredCodes['role'];
  /** Null when the tensor has another size than the node asks for. */
  readonly layout: (tensor: TensorProto) => BlockLayout | null;
}

/** What a node reads as codes. */
function readsOf(node: NodeProto): CodeRead[] {
  if (node.domain !== 'com.microsoft') return [];
  const bits = intOf(node, 'bits', 4);
  if (bits !== 2 && bits !== 4 && bits !== 8) return [];
  const blockSize = intOf(node, 'block_size', 0);
  if (blockSize < 16 || (blockSize & (blockSize - 1)) !== 0) return [];
  if (node.opType === 'MatMulNBits') {
    const rows = intOf(node, 'N', 0);
    const columns = intOf(node, 'K', 0);
    const layout = { rows, columns, blockSize, bits } as const;
    return [
      { input: node.input[1] ?? '', role: 'codes', layout: tensor => (fills(tensor, layout) ? layout : null) },
      { input: node.input[3] ?? '', role: 'zeroPoints', layout: tensor => wholeRows(tensor, bits) },
    ];
  }
  if (node.opType !== 'GatherBlockQuantized') return [];
  return [{ input: node.input[0] ?? '', role: 'codes', layout: tensor => paddedRows(tensor, bits, blockSize) }];
}

function fills(tensor: TensorProto, { rows, columns, blockSize, bits }: BlockLayout): boolean {
  return tensorSize(tensor).byteCount === (rows * Math.ceil(columns / blockSize) * blockSize * bits) / 8;
}

/** Rows of a two-dimensional byte tensor, one block each. */
function wholeRows(tensor: TensorProto, bits: ContainerBits): BlockLayout | null {
  const { dims, byteCount } = tensorSize(tensor);
  const [rows = 0, bytes = 0] = dims;
  if (dims.length !== 2 || byteCount !== rows * bytes || bytes === 0) return null;
  const columns = (bytes * 8) / bits;
  return { rows, columns, blockSize: columns, bits };
}

function paddedRows(tensor: TensorProto, bits: ContainerBits, blockSize: number): BlockLayout | null {
  const rows = wholeRows(tensor, bits);
  return rows && rows.columns % blockSize === 0 ? { ...rows, blockSize } : null;
}
