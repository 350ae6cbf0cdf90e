import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InputStatistics, TokenWindow } from '@quern/core';
import { STATISTICS_FILE, type StatisticsManifest, TOKENS_FILE } from './statisticsManifest.ts';

/** A captured input, read when its turn comes: one Gram is in memory at a time. */
export interface CapturedInput {
  readonly name: string;
  readonly read: () => Promise<InputStatistics>;
}

/** Writes a capture into a folder: the inputs' files, the windows where there are any, the manifest last. Returns the manifest. */
export async function writeStatistics(
  folder: string,
  manifest: Omit<StatisticsManifest, 'inputs'>,
  inputs: readonly CapturedInput[],
  windows: readonly TokenWindow[],
): Promise<StatisticsManifest> {
  const written: StatisticsManifest['inputs'] = [];
  for (const [index, { name, read }] of inputs.entries()) {
    const { inputGram, meanAbsolute, tokenCount } = await read();
    const bytes = Buffer.concat([bytesOf(inputGram.data), bytesOf(meanAbsolute)]);
    const file = `input-${index}.bin`;
    await writeFile(join(folder, file), bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    written.push({ name, inFeatures: inputGram.rows, tokenCount, file, sha256 });
  }
  if (windows.length > 0) {
    await writeFile(join(folder, TOKENS_FILE), Buffer.concat(windows.map(({ ids }) => bytesOf(ids))));
  }
  const complete = { ...manifest, inputs: written };
  await writeFile(join(folder, STATISTICS_FILE), `${JSON.stringify(complete, null, 2)}\n`);
  return complete;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float64Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
