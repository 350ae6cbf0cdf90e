import { InferenceSession, Tensor } from 'onnxruntime-node';
import { inTurn, isWorthSending } from './accelerator/accelerator.ts';
import { engine } from './engine.ts';
import type { Matrix } from './matrix.ts';
import { encodeGraph, type GraphNode } from './onnxruntime/encodeGraph.ts';
import { sessionOptions } from './onnxruntime/sessionOptions.ts';

/** How far to go. */
export interface ProcrustesOptions {
  /** Values of each row of Y D^T that stay, at least 1. */
  readonly keptPerRow: number;
  readonly sweeps: number;
}

/** What came of it, in float32. */
export interface ProcrustesResult {
  /** `[atomCount, columns]`, rows orthonormal to about 1e-3: what the last sweep needs to go on from. */
  readonly atoms: Matrix<Float64Array>;
  /** Sums of squares of what was kept in each sweep. */
  readonly explained: readonly number[];
}

/**
 * Steps of the polar iteration X <- a X + (b (X X^T) + c (X X^T)^2) X. The first lift small singular values, 3.44 times each, and
 * leave those near 1 between 0.7 and 1.2; the last bring all to 1, with an error that is cubed each time.
 * Source: Jordan et al. 2024 (Muon) for the first, the Padé polynomial of order 5 for the last.
 */
const LIFTING = { a: 3.4445, b: -4.775, c: 2.0315, steps: 16 };
const CONVERGING = { a: 15 / 8, b: -10 / 8, c: 3 / 8, steps: 4 };
/** Share of the old atoms in what becomes orthonormal, beside a matrix of norm 1: atoms that no row uses stay, where they have room. */
const PULL = 1e-6;

const POLAR_STEPS = LIFTING.steps + CONVERGING.steps;

/**
 * Sweeps of sparse coding over orthonormal atoms: C = the largest values of each row of Y D^T, then D = the polar factor of C^T Y. All
 * sweeps are one graph on the accelerator: two matrices go there, one comes back.
 *
 * Y `[m, n]`, `atoms` `[k, n]`, k at most n. Null where the engine has no accelerator or the work is too small to send. The polar factor
 * comes from products, twenty steps, in place of a singular value decomposition; directions with less than 1e-6 of the largest singular
 * value follow the old atoms.
 * Cost a sweep: 2 m n k + 20 (2 k^2 n + k^3) multiply-adds.
 */
export async function sparseProcrustes(
  target: Matrix<Float64Array>,
  atoms: Matrix<Float64Array>,
  { keptPerRow, sweeps }: ProcrustesOptions,
): Promise<ProcrustesResult | null> {
  const { accelerator, threads } = await engine();
  if (!accelerator || sweeps < 1 || keptPerRow < 1) return null;
  const [m, n, k] = [target.rows, target.columns, atoms.rows];
  const sweepFlops = 4 * m * n * k + POLAR_STEPS * 2 * k * k * (2 * n + k);
  if (!isWorthSending(accelerator, sweeps * sweepFlops, 4 * (m * n + k * n))) return null;
  return inTurn(accelerator, async () => {
    const session = await InferenceSession.create(
      encodeSweeps(keptPerRow, sweeps),
      sessionOptions({ device: accelerator.device, threads }),
    );
    try {
      const y = new Tensor('float32', Float32Array.from(target.data), [m, n]);
      const start = new Tensor('float32', Float32Array.from(atoms.data), [k, n]);
      const outputs = await session.run({ y, [atomsOf(0)]: start });
      const data = Float64Array.from(outputs[atomsOf(sweeps)]!.data as Float32Array);
      const explained = Array.from({ length: sweeps }, (_, sweep) =>
        Number((outputs[`s${sweep}.explained`]!.data as Float32Array)[0]),
      );
      return { atoms: { rows: k, columns: n, data }, explained };
    } finally {
      await session.release();
    }
  });
}

const atomsOf = (sweep: number) => `atoms${sweep}`;

function encodeSweeps(keptPerRow: number, sweeps: number): Uint8Array {
  const each = Array.from({ length: sweeps }, (_, sweep) => sweep);
  return encodeGraph({
    name: 'sparse Procrustes',
    precision: 'float32',
    opset: 18,
    nodes: each.flatMap(sweepNodes),
    inputs: [
      { name: 'y', dimensions: ['m', 'n'] },
      { name: atomsOf(0), dimensions: ['k', 'n'] },
    ],
    outputs: [
      { name: atomsOf(sweeps), dimensions: ['k', 'n'] },
      ...each.map(sweep => ({ name: `s${sweep}.explained`, dimensions: [] })),
    ],
    wholeNumbers: { kept: [keptPerRow], rowAxis: [1], firstAxis: [0] },
    scalars: {
      lift: LIFTING.a,
      converge: CONVERGING.a,
      tiny: 1e-30,
      pull: PULL,
    },
  });
}

function sweepNodes(sweep: number): GraphNode[] {
  const name = (value: string) => `s${sweep}.${value}`;
  const node = (opType: string, inputs: string[], output: string, attributes: GraphNode['attributes'] = {}) => ({
    opType,
    inputs,
    outputs: [output],
    attributes,
  });
  const [all, size, least, mask] = ['all', 'size', 'least', 'mask'].map(name) as [string, string, string, string];
  const kept = name('coefficients');
  const nodes: GraphNode[] = [
    node('Gemm', ['y', atomsOf(sweep)], all, { transB: 1 }),
    node('Abs', [all], size),
    { opType: 'TopK', inputs: [size, 'kept'], outputs: [name('largest'), name('places')], attributes: { axis: 1 } },
    node('ReduceMin', [name('largest'), 'rowAxis'], least, { keepdims: 1 }),
    node('GreaterOrEqual', [size, least], mask),
    node('Cast', [mask], name('ones'), { to: 1 }),
    node('Mul', [all, name('ones')], kept),
    node('Mul', [kept, kept], name('squares')),
    node('ReduceSum', [name('squares')], name('explained'), { keepdims: 0 }),
    node('Gemm', [kept, 'y'], name('overlap'), { transA: 1 }),
    // The largest singular value is at most the root of the largest sums of a row and of a column.
    node('Abs', [name('overlap')], name('entries')),
    node('ReduceSum', [name('entries'), 'rowAxis'], name('rowSums'), { keepdims: 0 }),
    node('ReduceSum', [name('entries'), 'firstAxis'], name('columnSums'), { keepdims: 0 }),
    node('ReduceMax', [name('rowSums')], name('rowNorm'), { keepdims: 0 }),
    node('ReduceMax', [name('columnSums')], name('columnNorm'), { keepdims: 0 }),
    node('Mul', [name('rowNorm'), name('columnNorm')], name('square')),
    node('Sqrt', [name('square')], name('root')),
    node('Max', [name('root'), 'tiny'], name('bound')),
    node('Div', [name('overlap'), name('bound')], name('normed')),
    node('Mul', [atomsOf(sweep), 'pull'], name('pulled')),
    node('Add', [name('normed'), name('pulled')], name('x0')),
  ];
  for (let step = 0; step < POLAR_STEPS; step++) {
    const [b, c, scale] =
      step < LIFTING.steps
        ? [LIFTING.b, LIFTING.c, 'lift' as const]
        : [CONVERGING.b, CONVERGING.c, 'converge' as const];
    const [x, gram, mixed, scaled] = [name(`x${step}`), name(`g${step}`), name(`p${step}`), name(`l${step}`)];
    const next = step + 1 === POLAR_STEPS ? atomsOf(sweep + 1) : name(`x${step + 1}`);
    nodes.push(
      node('Gemm', [x, x], gram, { transB: 1 }),
      node('Gemm', [gram, gram, gram], mixed, { alpha: { float: c }, beta: { float: b } }),
      node('Mul', [x, scale], scaled),
      node('Gemm', [mixed, x, scaled], next),
    );
  }
  return nodes;
}
