import { fork } from 'node:child_process';
import { DEVICES, type Device } from './device.ts';
import type { ProbeAnswer } from './deviceProbe.ts';

export interface DeviceProbe {
  readonly device: Device;
  readonly available: boolean;
  /** Why it cannot be used, in ONNX Runtime's words; null when it can. */
  readonly reason: string | null;
  /** The reason and what to install; empty when the device can be used. */
  readonly detail: string;
}

/** A driver that hangs must not hang us: a working GPU answers in a few seconds. */
const TIMEOUT_MS = 60_000;

const ADVICE: Readonly<Record<Device, string>> = {
  cpu: 'Install onnxruntime-node again for this system.',
  cuda:
    'CUDA needs Linux on x64, an NVIDIA driver, CUDA 12, cuDNN 9, and the provider library that is not in the npm package: ' +
    'run `ONNXRUNTIME_NODE_INSTALL=cuda12 node script/install.js` in the folder of onnxruntime-node.',
  webgpu:
    'WebGPU needs a graphics driver: on Linux one with Vulkan and its loader (libvulkan1 on Debian and Ubuntu), ' +
    'on Windows one with Direct3D 12.',
};

/**
 * Finds out which devices work by multiplying two matrices on each, in child processes: the list of providers in ONNX
 * Runtime only tells what was compiled in, and a broken driver can end the process.
 *
 * Never throws for a missing device. Cost: about half a second.
 */
export async function probeDevices(devices: readonly Device[] = DEVICES): Promise<readonly DeviceProbe[]> {
  return Promise.all(
    devices.map(async device => {
      const reason = await probe(device);
      const detail = reason === null ? '' : `${reason}. ${ADVICE[device]}`;
      return { device, available: reason === null, reason, detail };
    }),
  );
}

/** Null when the device works. */
function probe(device: Device): Promise<string | null> {
  return new Promise(resolve => {
    const child = fork(new URL('./deviceProbe.ts', import.meta.url), [device], {
      stdio: 'ignore',
      execArgv: [],
      timeout: TIMEOUT_MS,
    });
    let answer: ProbeAnswer | undefined;
    child.on('message', message => {
      answer = message as ProbeAnswer;
    });
    child.on('error', error => resolve(`The probe could not start: ${error.message}`));
    child.on('exit', (code, signal) => {
      if (answer) resolve(answer.failure === null ? null : essence(answer.failure));
      else resolve(`The probe ended with ${signal ? `signal ${signal}` : `exit code ${code}`}`);
    });
  });
}

/** Drops the source file and the condition that ONNX Runtime puts before some of its messages. */
function essence(message: string): string {
  const line = message.trim().replace(/\s+/g, ' ');
  return line.replace(/^\S+\.(cc|h):\d+ .* was false\. /, '').replace(/\.$/, '');
}
