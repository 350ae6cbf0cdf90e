/** How long does `quern --help` take? `node benchmarks/startUp.ts`; target: below 200 ms. Against `node -e 0`, in turns. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describeMachine, median } from './machine.ts';

const ROUNDS = 15;
const main = join(import.meta.dirname, '..', 'packages', 'cli', 'src', 'main.js');
const time = (args: readonly string[]): number => {
  const started = performance.now();
  execFileSync(process.execPath, args, { stdio: 'ignore' });
  return performance.now() - started;
};
time([main, '--help']); // fills the compile cache
const rounds = Array.from({ length: ROUNDS }, () => ({ help: time([main, '--help']), node: time(['-e', '0']) }));
const [help, node] = [median(rounds.map(r => r.help)), median(rounds.map(r => r.node))];
console.log(describeMachine());
console.log(
  `quern --help ${help.toFixed(0)} ms, node alone ${node.toFixed(0)} ms, ratio ${(help / node).toFixed(1)} (target 200 ms)`,
);
