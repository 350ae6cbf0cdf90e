// AssemblyScript, not TypeScript: compiled to WebAssembly by tools/buildWasm.ts. Every function works on memory that its
// caller laid out; pointers are byte offsets. Tables hold no pointers, and a code takes in one word at most: whatever stands in
// a stream, decoding stays within bounds.

export { decodeRows } from './decodeRows';
export { encodeRows } from './encodeRows';
export { scaleCosts } from './scaleCosts';
