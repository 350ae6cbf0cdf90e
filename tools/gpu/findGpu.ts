import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import type { DeviceProbe } from '@quern/runtime';
import { unpackVulkan } from './unpackVulkan.ts';

/** An environment in which WebGPU works. */
export interface FoundGpu {
  /** What stands behind it: a real adapter, or SwiftShader on the processor. */
  readonly kind: 'hardware' | 'SwiftShader';
  /** Variables that a process needs from its start. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Where containers with NVIDIA's driver keep its description for Vulkan, which no loader finds there by itself. */
const CONTAINER_DRIVER = '/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json';

/**
 * Looks for WebGPU: as the system is; with the Vulkan loader of the test browser, for a driver without one; with a container's driver;
 * with SwiftShader. Null, with the reason in words, where none works.
 */
export async function findGpu(): Promise<FoundGpu | { readonly kind: null; readonly reason: string }> {
  const own = await probe({});
  if (own === null) return { kind: 'hardware', environment: {} };
  const unpacked = await unpackVulkan();
  if (unpacked === null) return { kind: null, reason: own };
  const path = [unpacked.folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
  const withLoader = { LD_LIBRARY_PATH: path };
  const withDriver = (driver: string) => ({ ...withLoader, VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver });
  const candidates = existsSync(CONTAINER_DRIVER) ? [withLoader, withDriver(CONTAINER_DRIVER)] : [withLoader];
  for (const environment of candidates) {
    if ((await probe(environment)) === null) return { kind: 'hardware', environment };
  }
  const environment = withDriver(unpacked.driver);
  const reason = await probe(environment);
  return reason === null ? { kind: 'SwiftShader', environment } : { kind: null, reason };
}

/** Null when WebGPU works in a process with these variables. */
function probe(environment: Readonly<Record<string, string>>): Promise<string | null> {
  return new Promise(resolve => {
    const child = fork(new URL('./probeWebgpu.ts', import.meta.url), {
      env: { ...process.env, ...environment },
      execArgv: [],
    });
    let answer: DeviceProbe | undefined;
    child.on('message', message => {
      answer = message as DeviceProbe;
    });
    child.on('exit', code => resolve(answer ? answer.reason : `the probe ended with exit code ${code}`));
  });
}
