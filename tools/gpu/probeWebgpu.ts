/** Sends its parent what `probeDevices` says of WebGPU in the environment of this process. */
import { probeDevices } from '@quern/runtime';

const [probe] = await probeDevices(['webgpu']);
process.send?.(probe, () => process.exit(0));
