import { encodeGraph } from '../onnxruntime/encodeGraph.ts';
import { addInverse, inverseConstants } from './addInverse.ts';
import { addSum } from './addSum.ts';
import { addThreshold } from './addThreshold.ts';
import { createGraphWriter, type GraphWriter } from './createGraphWriter.ts';

/** What is the same in all sweeps. */
export interface SweepConstants {
  /** Of the way that least squares moves an atom, gone once more. */
  readonly overshoot: number;
  /** How much more coefficients are held back from a sweep on that raised the objective. */
  readonly afterRise: number;
  /** ||Y||_F^2. */
  readonly energy: number;
}

/** Names of what a sweep begins with. */
interface State {
  /** D, of norm 1. */
  readonly atoms: string;
  /** C. */
  readonly coefficients: string;
  readonly heldBack: string;
  readonly objective: string;
}

const FLOAT = 1;

/**
 * A graph of so many sweeps, see sweepDictionary. Inputs: `y`; the state, `atoms`, `coefficients`, `heldBack`, `objective`; `places`, 0, 1, 2 ...
 * `[atomCount, 1]`; and for each sweep `count0` and `proximity0`, `count1` ... Outputs: the state after them, `new.atoms` and so on, and the
 * objectives of all sweeps, `objective0` ...
 */
export function encodeDictionarySweeps(sweeps: number, { overshoot, afterRise, energy }: SweepConstants): Uint8Array {
  const writer = createGraphWriter();
  const { add } = writer;
  const isDiagonal = add('Equal', ['places', add('Transpose', ['places'])]);
  const identity = add('Cast', [isDiagonal], { to: FLOAT });
  let state: State = {
    atoms: 'atoms',
    coefficients: 'coefficients',
    heldBack: 'heldBack',
    objective: 'objective',
  };
  for (let sweep = 0; sweep < sweeps; sweep++) {
    state = addSweep(writer, state, identity, { sweep, isLast: sweep === sweeps - 1 });
  }
  const each = Array.from({ length: sweeps }, (_, sweep) => sweep);
  const scalar = (name: string) => ({ name, dimensions: [] });
  return encodeGraph({
    name: 'dictionary sweeps',
    precision: 'float32',
    opset: 18,
    nodes: writer.nodes,
    inputs: [
      { name: 'y', dimensions: ['m', 'n'] },
      { name: 'atoms', dimensions: ['k', 'n'] },
      { name: 'coefficients', dimensions: ['m', 'k'] },
      { name: 'places', dimensions: ['k', 'one'] },
      ...['heldBack', 'objective'].map(scalar),
      ...each.flatMap(sweep => [scalar(`count${sweep}`), scalar(`proximity${sweep}`)]),
    ],
    outputs: [
      { name: 'new.atoms', dimensions: ['k', 'n'] },
      { name: 'new.coefficients', dimensions: ['m', 'k'] },
      scalar('new.heldBack'),
      ...each.map(sweep => scalar(`objective${sweep}`)),
    ],
    wholeNumbers: { rowAxis: [1] },
    scalars: {
      ...inverseConstants(),
      ...{ zero: 0, half: 0.5, one: 1, minusOne: -1, tiny: 1e-30, beyond: 1.001 },
      ...{ energy, afterRise, share: overshoot, 'one+share': 1 + overshoot, relativeFloor: 1e-12 },
    },
  });
}

function addSweep(
  writer: GraphWriter,
  { atoms, coefficients, heldBack, objective }: State,
  identity: string,
  { sweep, isLast }: { readonly sweep: number; readonly isLast: boolean },
): State {
  const { add } = writer;
  const nameOf = (output: string): string => (isLast ? `new.${output}` : `s${sweep}.${output}`);
  const fitted = addFit(writer, { atoms, coefficients }, identity);
  const next = add('Sub', ['one', add('Div', [fitted.explained, 'energy'])], {}, `objective${sweep}`);
  const factor = add('Where', [add('Greater', [next, objective]), 'afterRise', 'one']);
  const held = add('Mul', [heldBack, factor], {}, nameOf('heldBack'));
  const beyond = addBeyond(writer, atoms, fitted.atoms, nameOf('atoms'));
  const proximity = add('Mul', [held, `proximity${sweep}`]);
  const moved = addMove(writer, { atoms: beyond, coefficients: fitted.coefficients }, identity, proximity);
  return {
    atoms: beyond,
    coefficients: addThreshold(writer, moved, `count${sweep}`, nameOf('coefficients')),
    heldBack: held,
    objective: next,
  };
}

/**
 * Least squares for the atoms as a step from the old ones, D + G^-1 (P - G D) with G = C^T C and P = C^T Y: an inverse that is less than
 * the true one goes less far and leaves no more over, and unused atoms stay. G is scaled to 1 on its diagonal. What is explained is <A, 2 P - G A>.
 */
function addFit(
  writer: GraphWriter,
  { atoms, coefficients }: Pick<State, 'atoms' | 'coefficients'>,
  identity: string,
): { readonly atoms: string; readonly coefficients: string; readonly explained: string } {
  const { add } = writer;
  const gram = add('Gemm', [coefficients, coefficients], { transA: 1 });
  const products = add('Gemm', [coefficients, 'y'], { transA: 1 });
  const missing = add('Gemm', [gram, atoms, products], { alpha: { float: -1 }, beta: { float: 1 } });
  const diagonal = add('ReduceSum', [add('Mul', [gram, identity]), 'rowAxis'], { keepdims: 1 });
  const most = add('ReduceMax', [diagonal], { keepdims: 0 });
  const floor = add('Max', [add('Mul', [most, 'relativeFloor']), 'tiny']);
  const scale = add('Reciprocal', [add('Sqrt', [add('Max', [diagonal, floor])])]);
  const scaled = add('Mul', [add('Mul', [gram, scale]), add('Transpose', [scale])]);
  const inverse = addInverse(writer, scaled, identity);
  const step = add('Mul', [add('Gemm', [inverse, add('Mul', [missing, scale])]), scale]);
  const fitted = add('Add', [atoms, step]);
  const seen = add('Gemm', [gram, fitted, products], { alpha: { float: -1 }, beta: { float: 2 } });
  const norms = addNorms(writer, fitted);
  return {
    atoms: add('Div', [fitted, norms]),
    coefficients: add('Mul', [coefficients, add('Transpose', [norms])]),
    explained: addSum(writer, add('Mul', [fitted, seen])),
  };
}

/** Atoms beyond the new ones on the way from the old, of norm 1. The sign of an atom may have turned. */
function addBeyond(writer: GraphWriter, old: string, fitted: string, name: string): string {
  const { add } = writer;
  const overlap = add('ReduceSum', [add('Mul', [old, fitted]), 'rowAxis'], { keepdims: 1 });
  const sign = add('Where', [add('Less', [overlap, 'zero']), 'minusOne', 'one']);
  const start = add('Mul', [old, add('Mul', [sign, 'share'])]);
  const beyond = add('Sub', [add('Mul', [fitted, 'one+share']), start]);
  return add('Div', [beyond, addNorms(writer, beyond)], {}, name);
}

/** C + 2 (Y - C D) D^T (D D^T + p I)^-1: twice the way to the proximal point. */
function addMove(
  writer: GraphWriter,
  { atoms, coefficients }: Pick<State, 'atoms' | 'coefficients'>,
  identity: string,
  proximity: string,
): string {
  const { add } = writer;
  const gram = add('Gemm', [atoms, atoms], { transB: 1 });
  const inverse = addInverse(writer, add('Add', [gram, add('Mul', [identity, proximity])]), identity);
  const seen = add('Gemm', ['y', atoms], { transB: 1 });
  const gradient = add('Gemm', [coefficients, gram, seen], { alpha: { float: -1 }, beta: { float: 1 } });
  return add('Gemm', [gradient, inverse, coefficients], { alpha: { float: 2 }, beta: { float: 1 } });
}

/** Of rows, `[rows, 1]`, not 0. */
function addNorms({ add }: GraphWriter, matrix: string): string {
  const squares = add('ReduceSum', [add('Mul', [matrix, matrix]), 'rowAxis'], { keepdims: 1 });
  return add('Sqrt', [add('Max', [squares, 'tiny'])]);
}
