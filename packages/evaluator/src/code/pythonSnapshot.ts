import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CompressionError } from '@quern/core';

/** What a sandbox for Python needs to read. */
export interface PythonFiles {
  /** The folder of Pyodide: the interpreter as WebAssembly and its standard library. */
  readonly folder: string;
  /** The interpreter's memory right after its start, from which a process starts in a tenth of the time. */
  readonly snapshot: string;
}

let made: Promise<PythonFiles> | null = null;

/**
 * The files of Python; the snapshot is made by the first call and lies in a temporary folder until this process ends.
 *
 * Errors: RUNTIME_FAILED when the package pyodide is not there or does not run offline. Cost: some seconds, 31 MB.
 */
export function pythonSnapshot(): Promise<PythonFiles> {
  made ??= makeSnapshot();
  return made;
}

async function makeSnapshot(): Promise<PythonFiles> {
  try {
    const { loadPyodide } = await import('pyodide');
    const pyodide = await loadPyodide({ _makeSnapshot: true, stdout: () => {}, stderr: () => {} });
    const bytes = pyodide.makeMemorySnapshot();
    const temporary = mkdtempSync(join(tmpdir(), 'quern-python-'));
    process.once('exit', () => rmSync(temporary, { recursive: true, force: true }));
    const snapshot = join(temporary, 'memory.bin');
    writeFileSync(snapshot, bytes);
    return { folder: dirname(fileURLToPath(import.meta.resolve('pyodide'))), snapshot };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CompressionError(
      'RUNTIME_FAILED',
      `Python does not start: ${reason}. It comes with the package pyodide, which the offline bundle leaves out: install the packages (npm run setup) in a checkout.`,
      { reason },
      { cause: error },
    );
  }
}
