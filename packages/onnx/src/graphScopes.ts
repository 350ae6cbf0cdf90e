import type { GraphProto, ModelProto, NodeProto, TensorProto } from './generated/onnx_pb.js';

/** A graph, or a sub-graph with the graph around it, whose values it sees. */
export interface GraphScope {
  readonly graph: GraphProto;
  /** Empty for the main graph; `owner.then_branch/` for a sub-graph, nested ones appended. */
  readonly path: string;
  readonly parent: GraphScope | null;
}

/** The main graph and every sub-graph in a node's attributes, an outer graph before its inner ones. */
export function graphScopes(model: { readonly proto: ModelProto }): GraphScope[] {
  const scopes: GraphScope[] = [];
  if (model.proto.graph) collect({ graph: model.proto.graph, path: '', parent: null }, scopes);
  return scopes;
}

// Recursion is bounded: the decoder refuses messages nested more than 100 deep.
function collect(scope: GraphScope, scopes: GraphScope[]): void {
  scopes.push(scope);
  for (const node of scope.graph.node) {
    for (const { attributeName, graph } of subGraphs(node)) {
      const path = `${scope.path}${nodeKey(node)}.${attributeName}/`;
      collect({ graph, path, parent: scope }, scopes);
    }
  }
}

/** The graphs among a node's attributes. */
export function subGraphs(node: NodeProto): { attributeName: string; graph: GraphProto }[] {
  return node.attribute.flatMap(attribute => {
    const single = attribute.g ? [{ attributeName: attribute.name, graph: attribute.g }] : [];
    const listed = attribute.graphs.map((graph, index) => ({ attributeName: `${attribute.name}[${index}]`, graph }));
    return [...single, ...listed];
  });
}

/** A node's name, or its first output where it has none. */
export function nodeKey(node: NodeProto): string {
  return node.name || (node.output[0] ?? '');
}

/** What stands behind a name. An input that has an initializer of its name counts as that initializer. */
export type Definition =
  | { readonly kind: 'input'; readonly scope: GraphScope }
  | { readonly kind: 'initializer'; readonly scope: GraphScope; readonly tensor: TensorProto }
  | { readonly kind: 'node'; readonly scope: GraphScope; readonly node: NodeProto };

/** Looks names up in a scope and the scopes around it. */
export interface DefinitionIndex {
  /** Null when nothing defines the name. */
  find(scope: GraphScope, name: string): Definition | null;
}

/** Indexes every name that the given scopes define. */
export function indexDefinitions(scopes: readonly GraphScope[]): DefinitionIndex {
  const tables = new Map<GraphScope, Map<string, Definition>>();
  for (const scope of scopes) {
    const table = new Map<string, Definition>();
    for (const input of scope.graph.input) table.set(input.name, { kind: 'input', scope });
    for (const node of scope.graph.node) {
      for (const output of node.output) if (output) table.set(output, { kind: 'node', scope, node });
    }
    for (const tensor of scope.graph.initializer) table.set(tensor.name, { kind: 'initializer', scope, tensor });
    tables.set(scope, table);
  }
  return {
    find(scope, name) {
      for (let current: GraphScope | null = scope; current; current = current.parent) {
        const found = tables.get(current)?.get(name);
        if (found) return found;
      }
      return null;
    },
  };
}
