import { encodeGraph } from '../onnxruntime/encodeGraph.ts';
import type { SweepPlan } from '../sweepPlan.ts';
import { addBeyond, beyondConstants } from './addBeyond.ts';
import { addFit, FIT_CONSTANTS } from './addFit.ts';
import { addIdentity } from './addIdentity.ts';
import { addInverse, inverseConstants } from './addInverse.ts';
import { addThreshold, THRESHOLD_CONSTANTS } from './addThreshold.ts';
import { createGraphWriter, type GraphWriter } from './createGraphWriter.ts';

/** Names of what a sweep begins with. */
interface State {
  /** D, of norm 1. */
  readonly atoms: string;
  /** C. */
  readonly coefficients: string;
  readonly heldBack: string;
  readonly objective: string;
}

/**
 * A graph of so many sweeps, see sweepDictionary. Inputs: `y`; the state, `atoms`, `coefficients`, `heldBack`, `objective`; `places`, 0, 1, 2 ...
 * `[atomCount, 1]`; and for each sweep `count0` and `proximity0`, `count1` ... Outputs: the state after them, `new.atoms` and so on, and the
 * objectives of all sweeps, `objective0` ...
 */
export function encodeDictionarySweeps(sweeps: number, { overshoot, afterRise, energy }: SweepPlan): Uint8Array {
  const writer = createGraphWriter();
  const identity = addIdentity(writer, 'places');
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
      ...FIT_CONSTANTS,
      ...THRESHOLD_CONSTANTS,
      ...beyondConstants(overshoot),
      ...{ tiny: 1e-30, energy, afterRise },
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
  const gram = add('Gemm', [coefficients, coefficients], { transA: 1 });
  const products = add('Gemm', [coefficients, 'y'], { transA: 1 });
  const fitted = addFit(writer, { gram, products, atoms, identity });
  const scaled = add('Mul', [coefficients, add('Transpose', [fitted.norms])]);
  const next = add('Sub', ['one', add('Div', [fitted.explained, 'energy'])], {}, `objective${sweep}`);
  const factor = add('Where', [add('Greater', [next, objective]), 'afterRise', 'one']);
  const held = add('Mul', [heldBack, factor], {}, nameOf('heldBack'));
  const beyond = addBeyond(writer, atoms, fitted.atoms, nameOf('atoms'));
  const proximity = add('Mul', [held, `proximity${sweep}`]);
  const moved = addMove(writer, { atoms: beyond, coefficients: scaled }, identity, proximity);
  const name = nameOf('coefficients');
  addThreshold(writer, [{ matrix: moved, name }], `count${sweep}`);
  return { atoms: beyond, coefficients: name, heldBack: held, objective: next };
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
