import { type ReflectorBlock, type ReflectorPanel, reflectorBlock } from './reflectorBlock.ts';

/** One block for each two neighbours: products with twice as many reflections run faster. */
export async function pairPanels(panels: readonly ReflectorPanel[]): Promise<ReflectorBlock[]> {
  const blocks: ReflectorBlock[] = [];
  for (let index = 0; index < panels.length; index += 2) {
    const second = panels[index + 1];
    blocks.push(await reflectorBlock(second ? join(panels[index]!, second) : panels[index]!));
  }
  return blocks;
}

function join(first: ReflectorPanel, second: ReflectorPanel): ReflectorPanel {
  const count = first.taus.length + second.taus.length;
  const length = first.vectors.columns;
  const data = new Float64Array(count * length);
  data.set(first.vectors.data);
  const { rows, columns } = second.vectors;
  for (let row = 0; row < rows; row++) {
    const end = (first.taus.length + row + 1) * length;
    data.set(second.vectors.data.subarray(row * columns, (row + 1) * columns), end - columns);
  }
  const taus = Float64Array.of(...first.taus, ...second.taus);
  return { start: first.start, vectors: { rows: count, columns: length, data }, taus };
}
