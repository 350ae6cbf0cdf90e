import { accessSync, constants } from 'node:fs';
import { CompressionError } from '@quern/core';

/** What the operating system says when a disk refuses; reading a file never fails with these. */
const REFUSALS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left there',
  EDQUOT: 'the quota of disk space is used up',
  EFBIG: 'a file would pass the limit on its size',
  EROFS: 'the file system is read-only',
};
/** Codes that also come from reading, and the calls that tell the difference. */
const PERMISSIONS: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'ENOTDIR']);
const WRITING_CALLS: ReadonlySet<string> = new Set(['mkdir', 'write', 'rename', 'copyfile', 'unlink', 'rmdir']);

/**
 * Turns a refusal of the operating system to write into WRITE_FAILED naming the output folder, or another place; gives back anything else as
 * it is.
 */
export function asWriteFailure(error: unknown, out: string, place = `into --out ${out}`): unknown {
  if (!(error instanceof Error) || error instanceof CompressionError) return error;
  const { code = '', syscall = '', path } = error as NodeJS.ErrnoException;
  const isDenied = PERMISSIONS.has(code) && WRITING_CALLS.has(syscall) && (syscall !== 'copyfile' || isReadable(path));
  const reason = REFUSALS[code] ?? (isDenied ? 'the folder may not be written to' : undefined);
  if (reason === undefined) return error;
  return new CompressionError(
    'WRITE_FAILED',
    `Cannot write ${place}: ${reason} (${code}). Make room or permit it, or name another folder.`,
    { out, code, ...(path === undefined ? {} : { path }) },
    { cause: error },
  );
}

/** A copy is also denied when its source may not be read, with nothing else to tell by. */
function isReadable(path: string | undefined): boolean {
  try {
    if (path !== undefined) accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
