/** The bytes of a .npy file as numpy.save writes them; `elements` are the array's bytes. For tests. */
export function npyBytes(
  descriptor: string,
  dims: readonly number[],
  elements: ArrayBufferView,
  options: { readonly version?: 1 | 2 | 3; readonly fortranOrder?: boolean } = {},
): Uint8Array {
  const { version = 1, fortranOrder = false } = options;
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ');
  const order = fortranOrder ? 'True' : 'False';
  const text = `{'descr': '${descriptor}', 'fortran_order': ${order}, 'shape': (${shape}), }`;
  const textOffset = version === 1 ? 10 : 12;
  const padded = Math.ceil((textOffset + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(padded + elements.byteLength);
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, padded - textOffset, true);
  else view.setUint32(8, padded - textOffset, true);
  bytes.set(new TextEncoder().encode(`${text.padEnd(padded - textOffset - 1)}\n`), textOffset);
  bytes.set(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength), padded);
  return bytes;
}
