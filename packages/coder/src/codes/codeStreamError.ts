/** A stream of codes that cannot be what `encodeCodes` or `packPlanes` wrote for this layout. */
export class CodeStreamError extends Error {
  readonly code = 'CORRUPT_CODES';

  constructor(reason: string) {
    super(`The packed codes are damaged: ${reason}. Fetch the file again`);
    this.name = 'CodeStreamError';
  }
}
