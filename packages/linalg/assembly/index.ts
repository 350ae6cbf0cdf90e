// AssemblyScript, not TypeScript: compiled to WebAssembly by tools/buildWasm.ts. Every function works on memory that its
// caller laid out; pointers are byte offsets, matrices are row-major float64.

export { choleskyUpper } from './choleskyUpper';
export { coverRanges } from './coverRanges';
export { halfQuadraticGrids } from './halfQuadratic';
export { leadingPair } from './leadingPair';
export { powersOf } from './power';
export { fitChosen, pursueRow } from './pursueRow';
export { quantizeColumns } from './quantizeColumns';
export { groupRanges, quantizeGroups } from './quantizeGroups';
export { reflectPanel } from './reflectPanel';
export { searchWords, wordNorms } from './searchWords';
export { secularRoots, secularVectors, secularWeights } from './secularEquation';
export { solveUpper, solveUpperTransposed } from './solveUpper';
export { tridiagonalizePanel } from './tridiagonalizePanel';
