import { fork } from 'node:child_process';
import type { Device } from './device.ts';
import type { ProbeAnswer } from './deviceProbe.ts';

/** A driver that hangs must not hang us: a working GPU answers in a few seconds. */
const TIMEOUT_MS = 60_000;

/** Tries a device, or measures it, in a child process, where a broken driver can end nothing else. Never throws. */
export function askDevice(device: Device, task: 'try' | 'measure'): Promise<ProbeAnswer> {
  return new Promise(resolve => {
    const fail = (failure: string) => resolve({ failure, speed: null });
    const child = fork(new URL('./deviceProbe.ts', import.meta.url), [device, task], {
      stdio: 'ignore',
      execArgv: [],
      timeout: TIMEOUT_MS,
    });
    let answer: ProbeAnswer | undefined;
    child.on('message', message => {
      answer = message as ProbeAnswer;
    });
    child.on('error', error => fail(`The probe could not start: ${error.message}`));
    child.on('exit', (code, signal) => {
      if (answer?.failure) fail(essence(answer.failure));
      else if (answer) resolve(answer);
      else fail(`The probe ended with ${signal ? `signal ${signal}` : `exit code ${code}`}`);
    });
  });
}

/** Drops the source file and the condition that ONNX Runtime puts before some of its messages. */
function essence(message: string): string {
  const line = message.trim().replace(/\s+/g, ' ');
  return line.replace(/^\S+\.(cc|h):\d+ .* was false\. /, '').replace(/\.$/, '');
}
