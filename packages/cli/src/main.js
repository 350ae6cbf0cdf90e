#!/usr/bin/env node
// Plain JavaScript: stripping types costs 80 ms before the cache, which holds the stripped code of everything below, is on.
import { enableCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';

// Before there is anything to mark. Each large matrix that is let go makes the collector look through its thread's heap; done step by
// step it takes threads of its own, and so cores from the workers (benchmarks/workerScaling.ts).
setFlagsFromString('--no-incremental-marking');
enableCompileCache();
const { catchInterrupts } = await import('./interrupts.ts');
catchInterrupts();
// Who reads no further, as head does, has all that was wanted.
process.stdout.on('error', error => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
const { runProgram } = await import('./runProgram.ts');
process.exitCode = await runProgram(process.argv);
