import { dataTypeName, type OnnxModel } from '@quern/onnx';
import { type FeedType, feedTypeOf } from './feedType.ts';

/** What a graph says of one of its inputs. */
export interface GraphInput {
  readonly name: string;
  /** Null for types that feeds cannot have. */
  readonly type: FeedType | null;
  /** The type as messages show it. */
  readonly typeName: string;
  /** A size, or null where any will do; null for an input of unknown rank. */
  readonly dims: readonly (number | null)[] | null;
  /** It has a stored value, and ONNX Runtime takes no other. */
  readonly isStored: boolean;
}

/** The inputs of a graph that feeds can name. */
export function graphInputs(model: OnnxModel): GraphInput[] {
  const graph = model.proto.graph;
  const stored = new Set((graph?.initializer ?? []).map(({ name }) => name));
  return (graph?.input ?? []).map(({ name, type }) => {
    const tensor = type?.value.case === 'tensorType' ? type.value.value : null;
    const elementType = tensor?.elemType ?? 0;
    const sizes = tensor?.shape?.dim.map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : null));
    return {
      name,
      type: tensor ? feedTypeOf(elementType) : null,
      typeName: tensor ? dataTypeName(elementType) : (type?.value.case ?? 'nothing'),
      dims: sizes?.map(size => (size !== null && size > 0 ? size : null)) ?? null,
      isStored: stored.has(name),
    };
  });
}
