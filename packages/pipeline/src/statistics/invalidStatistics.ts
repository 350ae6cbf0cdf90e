import { CompressionError } from '@quern/core';

/** What is wrong with a captured folder, as an error that tells the next step. */
export function invalidStatistics(folder: string, fault: string, next = 'Capture again'): CompressionError {
  return new CompressionError('INVALID_STATISTICS', `The statistics in ${folder} ${fault}. ${next}.`, {
    folder,
    fault,
  });
}
