import { expect, it } from 'vitest';
import { fingerprint } from './fingerprint.ts';

it('is FNV-1a in its first half', () => {
  // Published: FNV-1a of "foobar" is bf9cf968.
  expect(fingerprint([new TextEncoder().encode('foobar')]).slice(0, 8)).toBe('bf9cf968');
});

it('differs for every single changed byte, and reads views as what they show', () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, index) => index % 7);
  const seen = new Set([fingerprint([bytes])]);
  for (let index = 0; index < bytes.length; index++) {
    const changed = bytes.slice();
    changed[index]! ^= 1;
    seen.add(fingerprint([changed]));
  }
  expect(seen.size).toBe(301);
  for (const name of seen) expect(name).toMatch(/^[0-9a-f]{16}$/);
  expect(fingerprint([bytes.subarray(3)])).toBe(fingerprint([bytes.slice(3)]));
});
