import { DataType, floatInitializer } from '@quern/onnx';
import type { GraphDraft } from './graphDraft.ts';

/** Values `[contextLength, size / 2]` in the compute type. */
export interface RotaryTables {
  readonly cosine: string;
  readonly sine: string;
}

/**
 * Writes the cosine and sine of every position's angles.
 *
 * A position is `high * step + low`. Only the tables of `high` and of `low` are stored, each from float64 angles, and the
 * addition theorems combine them, which ONNX Runtime folds at load. So the header stays small (131072 positions of 64
 * frequencies: 0.4 MB instead of 64 MB), and the error stays at float32 rounding at any position, where a float32 angle
 * would be off by 0.004 radians at position 100000.
 *
 * @param frequencies radians per position, `[size / 2]`
 * @param options the number of positions; the node folder's name, `rotary_emb` unless given; what cosines and sines are multiplied by, 1
 * unless given
 */
export function addRotaryTables(
  draft: GraphDraft,
  frequencies: Float64Array,
  {
    contextLength,
    name: tableName = 'rotary_emb',
    magnitude = 1,
  }: { contextLength: number; name?: string; magnitude?: number },
): RotaryTables {
  const step = 2 ** Math.ceil(Math.log2(contextLength) / 2);
  const highCount = Math.ceil(contextLength / step);
  const root = `/model/${tableName}`;
  const store = (
    name: string,
    of: (angle: number) => number,
    count: number,
    spacing: number,
    dims: number[],
  ): string => {
    const values = new Float32Array(count * frequencies.length);
    for (let row = 0; row < count; row++) {
      for (const [pair, frequency] of frequencies.entries()) {
        values[row * frequencies.length + pair] = of(row * spacing * frequency);
      }
    }
    draft.initializers.push(floatInitializer(name, values, dims));
    return name;
  };
  const highDims = [highCount, 1, frequencies.length];
  const lowDims = [1, step, frequencies.length];
  const scaled = (of: (angle: number) => number) => (angle: number) => magnitude * of(angle);
  const cosineHigh = store(`model.${tableName}.cosine_high`, scaled(Math.cos), highCount, step, highDims);
  const sineHigh = store(`model.${tableName}.sine_high`, scaled(Math.sin), highCount, step, highDims);
  const cosineLow = store(`model.${tableName}.cosine_low`, Math.cos, step, 1, lowDims);
  const sineLow = store(`model.${tableName}.sine_low`, Math.sin, step, 1, lowDims);

  const multiply = (name: string, a: string, b: string) => draft.add(`${root}/${name}/Mul`, 'Mul', [a, b]);
  const table = (name: string, sum: string): string => {
    const path = `${root}/${name}`;
    const rows = draft.add(`${path}/Reshape`, 'Reshape', [sum, draft.constant([-1, frequencies.length])]);
    const bounds = [draft.constant([0]), draft.constant([contextLength]), draft.constant([0])];
    const cut = draft.add(`${path}/Slice`, 'Slice', [rows, ...bounds]);
    if (draft.computeType === DataType.FLOAT) return cut;
    return draft.add(`${path}/Cast`, 'Cast', [cut], { attributes: { to: { int: draft.computeType } } });
  };
  const cosineCosine = multiply('cosine_cosine', cosineHigh, cosineLow);
  const sineSine = multiply('sine_sine', sineHigh, sineLow);
  const sineCosine = multiply('sine_cosine', sineHigh, cosineLow);
  const cosineSine = multiply('cosine_sine', cosineHigh, sineLow);
  return {
    cosine: table('cosine', draft.add(`${root}/cosine/Sub`, 'Sub', [cosineCosine, sineSine])),
    sine: table('sine', draft.add(`${root}/sine/Add`, 'Add', [sineCosine, cosineSine])),
  };
}
