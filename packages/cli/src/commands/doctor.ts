import type { Diagnosis } from '@quern/pipeline';
import { Command } from 'commander';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Say what this machine can run, and what is missing for the rest.')
    .option('--json', 'print one JSON object on stdout and nothing else')
    .action(async (flags: { json?: boolean }) => {
      const { diagnose } = await import('@quern/pipeline');
      const { runCommand } = await import('../runCommand.ts');
      await runCommand(flags.json, () => diagnose(), renderDiagnosis);
    });
}

function renderDiagnosis(result: Diagnosis): string {
  return [
    `quern ${result.quern}, node ${result.node}, onnxruntime-node ${result.onnxruntime}`,
    `${result.platform}, ${result.cores} cores, ${result.memoryGiB} GiB memory`,
    renderEngine(result.engine),
    '',
    ...result.devices.map(renderDevice),
  ].join('\n');
}

function renderEngine({ gemm, factorization, openBlas, reason }: Diagnosis['engine']): string {
  const found = openBlas === null ? `OpenBLAS: ${reason}` : `OpenBLAS at ${openBlas.path} (${openBlas.configuration})`;
  return `solvers multiply with ${gemm}, factorise with ${factorization}\n${found}`;
}

function renderDevice({ device, available, detail }: Diagnosis['devices'][number]): string {
  return `${device.padEnd(8)}${available ? 'works' : `does not work: ${detail}`}`;
}
