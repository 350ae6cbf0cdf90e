import { encodeGraph, type GraphValue } from '../onnxruntime/encodeGraph.ts';
import type { SweepPlan } from '../sweepPlan.ts';
import { addBeyond, beyondConstants } from './addBeyond.ts';
import { addFit, FIT_CONSTANTS } from './addFit.ts';
import { addIdentity } from './addIdentity.ts';
import { inverseConstants } from './addInverse.ts';
import { addThreshold, THRESHOLD_CONSTANTS } from './addThreshold.ts';
import { createGraphWriter, type GraphWriter } from './createGraphWriter.ts';

const scalar = (name: string): GraphValue => ({ name, dimensions: [] });
const atomsValue = (name: string): GraphValue => ({ name, dimensions: ['k', 'length'] });
const coefficientsValue = (site: number, name = `coefficients${site}`): GraphValue => ({
  name,
  dimensions: ['k', `n${site}`],
});
const pullValue = (site: number): GraphValue => ({ name: `pull${site}`, dimensions: ['length', `n${site}`] });
const squareValue = (name: string, site: number): GraphValue => ({ name, dimensions: [`n${site}`, `n${site}`] });

/**
 * The first half of a sweep, see sweepOutputAtoms: least squares for the atoms, overshot. Inputs: `atoms`, `places` `[atomCount, 1]`, and of each
 * site `coefficients0`, `correlations0`, `pull0` ... Outputs: `new.atoms`, `new.coefficients0` ..., `atomGram` of the new atoms, `objective`.
 */
export function encodeOutputFit(sites: number, { overshoot, energy }: SweepPlan): Uint8Array {
  const writer = createGraphWriter();
  const { add } = writer;
  const each = Array.from({ length: sites }, (_, site) => site);
  const sumOf = (matrices: readonly string[]): string => matrices.reduce((sum, own) => add('Add', [sum, own]));
  const gram = sumOf(
    each.map(site => {
      const seen = add('Gemm', [`coefficients${site}`, `correlations${site}`]);
      return add('Gemm', [seen, `coefficients${site}`], { transB: 1 });
    }),
  );
  const products = sumOf(each.map(site => add('Gemm', [`coefficients${site}`, `pull${site}`], { transB: 1 })));
  const fitted = addFit(writer, { gram, products, atoms: 'atoms', identity: addIdentity(writer, 'places') });
  add('Sub', ['one', add('Div', [fitted.explained, 'energy'])], {}, 'objective');
  const beyond = addBeyond(writer, 'atoms', fitted.atoms, 'new.atoms');
  add('Gemm', [beyond, beyond], { transB: 1 }, 'atomGram');
  for (const site of each) add('Mul', [`coefficients${site}`, fitted.norms], {}, `new.coefficients${site}`);
  return encodeGraph({
    ...{ name: 'fit of atoms over outputs', precision: 'float32', opset: 18, nodes: writer.nodes },
    inputs: [
      atomsValue('atoms'),
      { name: 'places', dimensions: ['k', 'one'] },
      ...each.flatMap(site => [coefficientsValue(site), squareValue(`correlations${site}`, site), pullValue(site)]),
    ],
    outputs: [
      atomsValue('new.atoms'),
      ...each.map(site => coefficientsValue(site, `new.coefficients${site}`)),
      { name: 'atomGram', dimensions: ['k', 'k'] },
      scalar('objective'),
    ],
    wholeNumbers: { rowAxis: [1] },
    scalars: { ...inverseConstants(), ...FIT_CONSTANTS, ...beyondConstants(overshoot), tiny: 1e-30, energy },
  });
}

/**
 * The second half: the step of the coefficients and their threshold. Inputs: `atoms`; eigenvectors of their Gram as rows, `turn`, and eigenvalues,
 * `curvature` `[atomCount, 1]`; of each site `coefficients0`, `pull0`, `directions0`, `spectrum0` `[1, inFeatures]` ...; `proximity` and `count`. Outputs:
 * `new.coefficients0` ...
 */
export function encodeOutputMove(sites: number): Uint8Array {
  const writer = createGraphWriter();
  const each = Array.from({ length: sites }, (_, site) => site);
  const moved = each.map(site => ({ matrix: addMove(writer, site), name: `new.coefficients${site}` }));
  addThreshold(writer, moved, 'count');
  return encodeGraph({
    ...{ name: 'step of coefficients over outputs', precision: 'float32', opset: 18, nodes: writer.nodes },
    inputs: [
      atomsValue('atoms'),
      { name: 'turn', dimensions: ['k', 'k'] },
      { name: 'curvature', dimensions: ['k', 'one'] },
      ...each.flatMap(site => [
        ...[coefficientsValue(site), pullValue(site), squareValue(`directions${site}`, site)],
        { name: `spectrum${site}`, dimensions: ['one', `n${site}`] },
      ]),
      ...['proximity', 'count'].map(scalar),
    ],
    outputs: each.map(site => coefficientsValue(site, `new.coefficients${site}`)),
    wholeNumbers: { rowAxis: [1] },
    scalars: { ...THRESHOLD_CONSTANTS },
  });
}

/** 2 B - C with A A^T B R + p B = A Y R + p C: in the eigenvectors of A A^T and of R one division a value. */
function addMove({ add }: GraphWriter, site: number): string {
  const old = `coefficients${site}`;
  const held = add('Mul', [old, 'proximity']);
  const sum = add('Gemm', ['atoms', `pull${site}`, held], { beta: { float: 1 } });
  const turned = add('Gemm', [add('Gemm', ['turn', sum]), `directions${site}`], { transB: 1 });
  const shifted = add('Add', [add('Mul', ['curvature', `spectrum${site}`]), 'proximity']);
  const back = add('Gemm', ['turn', add('Div', [turned, shifted])], { transA: 1 });
  return add('Gemm', [back, `directions${site}`, old], { alpha: { float: 2 }, beta: { float: -1 } });
}
