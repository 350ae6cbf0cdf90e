export { type CutText, cutWindows } from './cutWindows.ts';
export type { DataSetManifest, DataSetPart } from './dataSetManifest.ts';
export { listTextSets } from './listTextSets.ts';
export { loadTextSet } from './loadTextSet.ts';
export { loadTokenizer } from './loadTokenizer.ts';
export type { TextPart, TextSet } from './textSet.ts';
export type { Tokenizer } from './tokenizer.ts';
export type { WindowOptions } from './windowOptions.ts';
