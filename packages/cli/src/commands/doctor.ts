import type { Diagnosis } from '@quern/pipeline';
import { Command } from 'commander';
import { runCommand } from '../runCommand.ts';
import { table } from '../table.ts';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Say what this machine can run, and what is missing for the rest.')
    .option('--json', 'print one JSON object on stdout and nothing else')
    .action(async (flags: { json?: boolean }) => {
      const { diagnose } = await import('@quern/pipeline');
      await runCommand(flags.json, () => diagnose(), renderDiagnosis);
    });
}

function renderDiagnosis(result: Diagnosis): string {
  const rows = result.devices.map(probe => [probe.device, probe.available ? 'yes' : 'no', probe.detail]);
  return [
    `quern ${result.quern}, node ${result.node}, onnxruntime-node ${result.onnxruntime}`,
    `${result.platform}, ${result.cores} cores, ${result.memoryGiB} GiB memory`,
    renderEngine(result.engine),
    '',
    table(['device', 'works', ''], rows).replaceAll(/ +$/gm, ''),
  ].join('\n');
}

function renderEngine({ gemm, factorization, openBlas, reason }: Diagnosis['engine']): string {
  const found = openBlas === null ? `OpenBLAS: ${reason}` : `OpenBLAS at ${openBlas.path} (${openBlas.configuration})`;
  return `solvers multiply with ${gemm}, factorise with ${factorization}\n${found}`;
}
