import { FIRST_BYTE } from './openCoder.ts';

/** Where each of the named regions begins, one after the other, 16 bytes aligned, and how many bytes they take together. */
export function layOut<Name extends string>(
  sizes: Readonly<Record<Name, number>>,
): { readonly at: Readonly<Record<Name, number>>; readonly byteCount: number } {
  const at: Record<Name, number> = { ...sizes };
  let next = FIRST_BYTE;
  for (const name of Object.keys(sizes) as Name[]) {
    at[name] = next;
    next += Math.ceil(sizes[name] / 16) * 16;
  }
  return { at, byteCount: next - FIRST_BYTE };
}
