import type { NamedTensors, PlainTensor } from '@quern/runtime';
import type { HiddenStates } from './hiddenStates.ts';
import type { TokenRun } from './tokenRun.ts';

/**
 * Leaves of the states that sliced heads read, `[batch, length, ...]`, the columns whose losses are wanted, and returns what is left of the
 * runs. A run whose states have another shape stays whole.
 */
export async function lastColumns(states: readonly HiddenStates[], runs: readonly TokenRun[]): Promise<TokenRun[]> {
  const left: TokenRun[] = [];
  for (const [index, run] of runs.entries()) {
    const { from = 0 } = run;
    const length = run.ids[0]!.length;
    const before = from > 0 ? await Promise.all(states.map(hidden => hidden.read(index))) : [];
    const hasColumns = before.every(tensors => Object.values(tensors).every(({ dims }) => dims[1] === length));
    if (from === 0 || !hasColumns) {
      left.push(run);
      continue;
    }
    for (const [at, hidden] of states.entries()) await hidden.write(index, cutTensors(before[at]!, from));
    const rows = run.ids.map((_, row) => run.targets.subarray(row * length + from, (row + 1) * length));
    left.push({ ids: run.ids.map(ids => ids.subarray(from)), targets: Int32Array.from(rows.flatMap(row => [...row])) });
  }
  return left;
}

function cutTensors(tensors: NamedTensors, from: number): NamedTensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, cutColumns(tensor, from)]));
}

function cutColumns({ type, dims, data }: PlainTensor, from: number): PlainTensor {
  const [batch = 1, length = 1, ...rest] = dims;
  const size = data.length / batch;
  const skipped = (size / length) * from;
  const kept = new (data.constructor as new (length: number) => PlainTensor['data'])(batch * (size - skipped));
  for (let row = 0; row < batch; row++) {
    kept.set(data.subarray(row * size + skipped, (row + 1) * size) as never, row * (size - skipped));
  }
  return { type, dims: [batch, length - from, ...rest], data: kept };
}
