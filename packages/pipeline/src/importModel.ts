import { constants } from 'node:fs';
import { copyFile, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hubSettings, isHubModel, pullModel } from '@quern/calibration';
import { importCheckpoint } from '@quern/importer';
import { findLinearSites, renameExternalData, writeOnnxModel } from '@quern/onnx';
import { checkInterrupted } from './interruption.ts';
import { asWriteFailure } from './output/asWriteFailure.ts';
import { claimRunFolder } from './output/runFolder.ts';
import { transformersjsGraphName, writeTransformersjsLayout } from './output/transformersjsLayout.ts';

export interface ImportResult {
  readonly output: string;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  readonly blockCount: number;
  readonly siteCount: number;
}

/**
 * Writes a checkpoint as an ONNX folder. The safetensors files are taken over as external data, byte for byte (as
 * copy-on-write clones where the file system can), under the names that clients look for.
 *
 * Errors: those of the importer and of `claimRunFolder`; WRITE_FAILED; INTERRUPTED, seen between files. Nothing is left then.
 */
export async function importModel(
  named: string,
  out: string,
  force: boolean,
  signal?: AbortSignal,
): Promise<ImportResult> {
  const checkpoint = isHubModel(named) ? (await pullModel(named, hubSettings())).folder : named;
  const { model, config } = await importCheckpoint(checkpoint, { dtype: 'fp32' });
  const siteCount = findLinearSites(model).length;
  const parts = { command: 'import' };
  const output = await claimRunFolder({ path: out, parts, force, resume: false }).catch(error => {
    throw asWriteFailure(error, out);
  });
  try {
    const graphName = transformersjsGraphName('fp32');
    const folder = join(output.staging, 'onnx');
    await mkdir(folder, { recursive: true });
    const renamed = renameExternalData(model, index => `${graphName}_data${index === 0 ? '' : `_${index}`}`);
    for (const { from, to } of renamed) {
      checkInterrupted(signal);
      await copyFile(join(model.folder, from), join(folder, to), constants.COPYFILE_FICLONE);
    }
    await writeOnnxModel(model, join(folder, graphName));
    const chunkCount = renamed.length;
    const layout = { dtype: 'fp32', contextLength: config.contextLength, chunkCount };
    await writeTransformersjsLayout({ source: checkpoint, target: output.staging, ...layout });
    checkInterrupted(signal);
    const paths = await output.commit('config.json');
    const files = await Promise.all(
      paths.map(async path => ({ path, bytes: (await stat(join(output.folder, path))).size })),
    );
    return { output: out, files, blockCount: config.blockCount, siteCount };
  } catch (error) {
    await output.abandon().catch(() => undefined); // the reason is worth more
    throw asWriteFailure(error, out);
  }
}
