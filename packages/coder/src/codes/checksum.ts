/**
 * 32-bit checksum: FNV-1a over little-endian 32-bit words, the last one filled with zeros, then the length. Every change of a
 * single word changes it, since each step is a bijection.
 */
export function checksum(bytes: Uint8Array): number {
  const whole = bytes.length & ~3;
  let sum = 0x811c9dc5 | 0;
  for (let at = 0; at < whole; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    sum = Math.imul(sum ^ word, 0x01000193);
    sum ^= sum >>> 15;
  }
  let word = 0;
  for (let at = whole; at < bytes.length; at++) word |= bytes[at]! << (8 * (at - whole));
  sum = Math.imul(sum ^ word, 0x01000193);
  return Math.imul(sum ^ bytes.length, 0x01000193) >>> 0;
}
