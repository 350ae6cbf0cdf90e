import koffi from 'koffi';

/** koffi unloads a library that nobody holds. */
const held: unknown[] = [];

/** Keeps a native library loaded until the process ends: the dynamic loader then finds it by its name alone. For tests. */
export function loadLibrary(path: string): void {
  held.push(koffi.load(path, { global: true }));
}
