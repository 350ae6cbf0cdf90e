import { create } from '@bufbuild/protobuf';
import { type NodeProto, NodeProtoSchema } from '../generated/onnx_pb.js';
import { type AttributeValue, attribute } from './attribute.ts';

/** What a node may carry besides its operator, inputs and outputs. */
export interface NodeOptions {
  readonly name?: string;
  /** Operator domain; absent for ai.onnx, `com.microsoft` for the contrib operators. */
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

/** Builds a node. An empty input name stands for an absent optional input. */
export function node(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  options: NodeOptions = {},
): NodeProto {
  return create(NodeProtoSchema, {
    opType,
    input: [...inputs],
    output: [...outputs],
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.domain === undefined ? {} : { domain: options.domain }),
    attribute: Object.entries(options.attributes ?? {}).map(([name, value]) => attribute(name, value)),
  });
}
