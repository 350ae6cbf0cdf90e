/**
 * 16 hexadecimal digits that tell contents apart: FNV-1a in two lanes of 32 bits, which start differently. Not for secrets.
 *
 * Cost: one pass over the bytes.
 */
export function fingerprint(parts: readonly (Float32Array | Uint8Array)[]): string {
  let first = 0x811c9dc5;
  let second = 0x9747b28c;
  for (const { buffer, byteOffset, byteLength } of parts) {
    for (const byte of new Uint8Array(buffer, byteOffset, byteLength)) {
      first = Math.imul(first ^ byte, 0x01000193);
      second = Math.imul(second ^ byte, 0x85ebca6b);
      second ^= second >>> 15;
    }
  }
  return [first, second].map(lane => (lane >>> 0).toString(16).padStart(8, '0')).join('');
}
