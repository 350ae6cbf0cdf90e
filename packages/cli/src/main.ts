#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { catchInterrupts } from './interrupts.ts';

catchInterrupts();
// Everything else is imported after this, so that it comes out of the cache from the second run on.
enableCompileCache();
const { runProgram } = await import('./runProgram.ts');
process.exitCode = await runProgram(process.argv);
