import type { CompressResult } from '@quern/pipeline';
import type { Command } from 'commander';
import { addCompressOptions, type CompressFlags } from '../compressFlags.ts';
import { formatBytes, formatPerplexity, formatSeconds, formatSigned } from '../format.ts';
import { renderBudget } from '../renderBudget.ts';
import { renderPlan } from './plan.ts';

export function compressCommand(): Command {
  const command = addCompressOptions('compress').description('Compress a model and write ONNX files that run.');
  return command.action(async (model: string, flags: CompressFlags) => {
    const { compress, planCompression } = await import('@quern/pipeline');
    const { runCommand } = await import('../runCommand.ts');
    const { compressRequest } = await import('../compressRequest.ts');
    const request = await compressRequest(model, flags, !flags.dryRun);
    if (flags.dryRun) await runCommand(flags.json, ({ emit }) => planCompression(request, emit), renderPlan);
    else await runCommand(flags.json, ({ emit, signal }) => compress(request, emit, signal), renderResult);
  });
}

function renderResult(result: CompressResult): string {
  const { storage, perplexity } = result;
  const ratio = storage.originalBytes / storage.compressedBytes;
  const lines = [`${result.output}  (${result.dtype}, ${formatSeconds(result.durationMs / 1000)})`];
  lines.push(
    `files           ${formatBytes(storage.originalBytes)} -> ${formatBytes(storage.compressedBytes)}  (${ratio.toFixed(2)}x smaller)`,
  );
  if (storage.bitsPerWeight !== null) {
    lines.push(
      `solved weights  ${result.sites.length} sites, ${formatBytes(storage.storedBytes)}, ${storage.bitsPerWeight.toFixed(3)} stored bits a weight`,
    );
  }
  if (storage.container) {
    const { compressedBytes, bitsPerWeight } = storage.container;
    const bits = bitsPerWeight === null ? '' : `, ${bitsPerWeight.toFixed(3)} bits a weight`;
    lines.push(`while it runs   ${formatBytes(compressedBytes)}${bits}`);
  }
  if (perplexity) {
    lines.push(
      `perplexity      ${formatPerplexity(perplexity.before)} -> ${formatPerplexity(perplexity.after)} +- ${formatPerplexity(perplexity.standardError)}  (${perplexity.data}, window ${perplexity.windowLength}, stride ${perplexity.stride}, ${perplexity.tokenCount} tokens; exact arithmetic ${formatPerplexity(perplexity.exact)})`,
      `nats per token  ${formatSigned(perplexity.nllDifference, 5)} +- ${perplexity.nllDifferenceStandardError.toFixed(5)}  (paired)`,
    );
  }
  if (result.budget) lines.push(...renderBudget(result.budget));
  for (const { name, relativeDifference, exact } of result.outputs ?? []) {
    lines.push(`output ${name}  ${percent(relativeDifference)} off  (exact arithmetic ${percent(exact)})`);
  }
  return lines.join('\n');
}

function percent(share: number | null): string {
  return share === null ? 'all' : `${(100 * share).toPrecision(3)} %`;
}
