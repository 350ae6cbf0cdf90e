import { CompressionError } from '@quern/core';
import { describeEngine, type EngineDescription } from '@quern/linalg';

/** What runs the kernels of the solvers. Errors: INVALID_OPTION when QUERN_OPENBLAS names a library that cannot be loaded. */
export async function openEngine(): Promise<EngineDescription> {
  try {
    return await describeEngine();
  } catch (error) {
    const { message } = error as Error;
    throw new CompressionError('INVALID_OPTION', `QUERN_OPENBLAS: ${message}. Name another library, or unset it.`, {
      library: process.env.QUERN_OPENBLAS ?? null,
    });
  }
}
