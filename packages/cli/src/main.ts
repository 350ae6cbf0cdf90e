#!/usr/bin/env node
import { catchInterrupts } from './interrupts.ts';
import { isLong, supervise } from './supervise.ts';

if (isLong(process.argv)) {
  process.exitCode = await supervise(process.argv);
} else {
  catchInterrupts();
  const { work } = await import('./work.ts');
  process.exitCode = await work(process.argv);
}
