import { inlineInitializer } from '../build/inlineInitializer.ts';
import type { TensorProto } from '../generated/onnx_pb.js';
import type { WeightStore } from './weightStore.ts';

/** A store that keeps its tensors in the header, for models that are run and never written. */
export function createInlineStore(folder: string): WeightStore {
  const own = new Set<TensorProto>();
  const add: WeightStore['add'] = async (name, dataType, dims, bytes) => {
    const tensor = inlineInitializer(name, dataType, dims, bytes.slice());
    own.add(tensor);
    return tensor;
  };
  return {
    folder,
    add,
    async addStream(name, dataType, dims, pieces) {
      const parts: Uint8Array[] = [];
      for await (const piece of pieces) parts.push(piece);
      return add(name, dataType, dims, Buffer.concat(parts));
    },
    owns: tensor => own.has(tensor),
    added: () => [...own],
    unfinishedName: location => location,
    close: async () => [],
    abort: async () => undefined,
  };
}
