/** What halves are once those that are 0 are left out. */
export interface MaskedHalves {
  /** A bit for each half that is not 0, low bits first. */
  readonly mask: Uint8Array;
  /** The others, `[rows, columns]`. */
  readonly values: Uint8Array;
  readonly rows: number;
  readonly columns: number;
}

/** Float16 numbers, `bytes`, as a mask and those that are not 0; null where hardly any is 0. */
export function maskHalves(bytes: Uint8Array): MaskedHalves | null {
  const words = Uint16Array.from(
    { length: bytes.length / 2 },
    (_, index) => bytes[2 * index]! | (bytes[2 * index + 1]! << 8),
  );
  const others = words.filter(word => word !== 0);
  const columns = others.length % 16 === 0 ? 16 : 1;
  const isSparse = others.length > 0 && 16 * others.length + words.length < 16 * words.length;
  if (!isSparse) return null;
  const mask = new Uint8Array(Math.ceil(words.length / 8));
  for (const [place, word] of words.entries()) if (word !== 0) mask[place >> 3]! |= 1 << (place & 7);
  return { mask, values: new Uint8Array(others.buffer), rows: others.length / columns, columns };
}
