/** A function of a native library. */
export interface NativeFunction {
  (...values: unknown[]): unknown;
  /** The same on a thread of Node's pool; the last value is the callback. The arrays passed must stay alive until then. */
  async(...values: unknown[]): void;
}

/** The part of koffi used here. */
export interface Koffi {
  load(path: string): NativeLibrary;
}

export interface NativeLibrary {
  func(declaration: string): NativeFunction;
}
