import { create } from '@bufbuild/protobuf';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  type ValueInfoProto,
} from '../generated/onnx_pb.js';
import type { OnnxModel } from '../onnxModel.ts';

/** The parts of a new model. */
export interface ModelParts {
  /** Where external data resolves. */
  readonly folder: string;
  readonly nodes: readonly NodeProto[];
  readonly inputs: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
  readonly initializers?: readonly TensorProto[];
  readonly valueInfo?: readonly ValueInfoProto[];
  /** Operator set versions by domain, `{ '': 21, 'com.microsoft': 1 }` unless given. */
  readonly opsets?: Readonly<Record<string, number>>;
  /** 10 unless given. */
  readonly irVersion?: number;
  /** `main_graph` unless given. */
  readonly graphName?: string;
  readonly producerName?: string;
  readonly producerVersion?: string;
  /** Key-value pairs of the model's metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const DEFAULT_OPSETS = { '': 21, 'com.microsoft': 1 };

/** Puts a model together. Nodes must come in topological order. */
export function createModel(parts: ModelParts): OnnxModel {
  const opsets = Object.entries(parts.opsets ?? DEFAULT_OPSETS);
  const proto = create(ModelProtoSchema, {
    irVersion: BigInt(parts.irVersion ?? 10),
    producerName: parts.producerName ?? 'quern',
    ...(parts.producerVersion === undefined ? {} : { producerVersion: parts.producerVersion }),
    opsetImport: opsets.map(([domain, version]) =>
      create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
    ),
    metadataProps: Object.entries(parts.metadata ?? {}).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    ),
    graph: create(GraphProtoSchema, {
      name: parts.graphName ?? 'main_graph',
      node: [...parts.nodes],
      input: [...parts.inputs],
      output: [...parts.outputs],
      initializer: [...(parts.initializers ?? [])],
      valueInfo: [...(parts.valueInfo ?? [])],
    }),
  });
  return { proto, folder: parts.folder };
}
