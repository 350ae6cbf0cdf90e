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
    `graphics cards: ${result.gpus.join('; ') || 'none that the system names'}`,
    '',
    ...result.devices.map(renderDevice),
    '',
    renderAuto(result.auto),
  ].join('\n');
}

function renderAuto({ device, fallbackReason, solvesOn }: Diagnosis['auto']): string {
  const reason = fallbackReason === null ? '' : `: ${fallbackReason}`;
  const elsewhere =
    solvesOn === device ? '' : `, and ${solvesOn} for solvers: they gain from what multiplies 3 times as fast`;
  return `--device auto takes ${device}${reason}${elsewhere}`;
}

function renderEngine({ gemm, factorization, openBlas, reason }: Diagnosis['engine']): string {
  const found = openBlas === null ? `OpenBLAS: ${reason}` : `OpenBLAS at ${openBlas.path} (${openBlas.configuration})`;
  return `solvers multiply with ${gemm}, factorise with ${factorization}\n${found}`;
}

function renderDevice({ device, available, detail, speed }: Diagnosis['devices'][number]): string {
  if (!available) return `${device.padEnd(8)}does not work: ${detail}`;
  if (speed === null) return `${device.padEnd(8)}works, but failed when it was measured`;
  const [flops, bytes] = [speed.gemmFlops, speed.copyBytes].map(rate => (rate / 1e9).toPrecision(3));
  return `${device.padEnd(8)}works: ${flops} GFLOP/s in float32 products, ${bytes} GB/s in sums`;
}
