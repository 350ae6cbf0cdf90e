export type { BlockLayout, ContainerBits, RowLayout } from './codeLayout.ts';
export { type BlockPacking, packBlocks } from './packBlocks.ts';
export { packRows } from './packRows.ts';
export { unpackBlocks } from './unpackBlocks.ts';
export { unpackRows } from './unpackRows.ts';
