import { zerosLike } from '../zerosLike.ts';
import { type ReflectorBlock, type ReflectorPanel, reflectorBlock } from './reflectorBlock.ts';

/** One block for each two neighbours: products with twice as many reflections run faster. */
export async function pairPanels<Data extends Float32Array | Float64Array>(
  panels: readonly ReflectorPanel<Data>[],
): Promise<ReflectorBlock<Data>[]> {
  const blocks: ReflectorBlock<Data>[] = [];
  for (let index = 0; index < panels.length; index += 2) {
    const second = panels[index + 1];
    blocks.push(await reflectorBlock(second ? join(panels[index]!, second) : panels[index]!));
  }
  return blocks;
}

function join<Data extends Float32Array | Float64Array>(
  first: ReflectorPanel<Data>,
  second: ReflectorPanel<Data>,
): ReflectorPanel<Data> {
  const count = first.taus.length + second.taus.length;
  const length = first.vectors.columns;
  const data = zerosLike(first.taus, count * length);
  data.set(first.vectors.data);
  const { rows, columns } = second.vectors;
  for (let row = 0; row < rows; row++) {
    const end = (first.taus.length + row + 1) * length;
    data.set(second.vectors.data.subarray(row * columns, (row + 1) * columns), end - columns);
  }
  const taus = zerosLike(first.taus, count);
  taus.set(first.taus);
  taus.set(second.taus, first.taus.length);
  return { start: first.start, vectors: { rows: count, columns: length, data }, taus };
}
