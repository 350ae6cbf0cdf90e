import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { env } from 'onnxruntime-node';
import { askDevice } from './askDevice.ts';
import { describeGpus } from './describeGpus.ts';
import type { Device } from './device.ts';
import type { DeviceSpeed } from './measureDevice.ts';

/** What was measured before, by machine and device. */
type Speeds = Readonly<Record<string, Readonly<Partial<Record<Device, DeviceSpeed>>>>>;

/**
 * How fast working devices are. Each is measured once, in a child process, and written down in `devices.json` in `cacheFolder`: under
 * the processor, the graphics cards with their drivers and the version of ONNX Runtime, so that another machine that shares the
 * folder, or a new driver, is measured anew. To measure again, delete the file.
 *
 * `onMeasure` hears of each that is measured now, which takes a few seconds. A device that fails while it is measured has no entry. A cache that cannot be read or written counts as empty.
 */
export async function deviceSpeeds(
  devices: readonly Device[],
  cacheFolder: string,
  onMeasure: (device: Device) => void = () => undefined,
): Promise<ReadonlyMap<Device, DeviceSpeed>> {
  const path = join(cacheFolder, 'devices.json');
  const machine = await machineKey();
  const known = (await readSpeeds(path))[machine] ?? {};
  const speeds = new Map<Device, DeviceSpeed>();
  const measured: Partial<Record<Device, DeviceSpeed>> = {};
  for (const device of devices) {
    // One after the other: they would slow each other down.
    if (!known[device]) onMeasure(device);
    const speed = known[device] ?? (await askDevice(device, 'measure')).speed;
    if (speed === null) continue;
    speeds.set(device, speed);
    if (!known[device]) measured[device] = speed;
  }
  if (Object.keys(measured).length > 0) await addSpeeds(path, machine, measured);
  return speeds;
}

async function machineKey(): Promise<string> {
  const [processor] = cpus();
  const parts = [
    process.platform,
    process.arch,
    processor?.model ?? '',
    cpus().length,
    env.versions.common,
    await describeGpus(),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

async function readSpeeds(path: string): Promise<Speeds> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Speeds;
  } catch {
    return {};
  }
}

async function addSpeeds(path: string, machine: string, measured: Speeds[string]): Promise<void> {
  const speeds = await readSpeeds(path);
  const partial = `${path}.${process.pid}`;
  try {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(
      partial,
      `${JSON.stringify({ ...speeds, [machine]: { ...speeds[machine], ...measured } }, null, 2)}\n`,
    );
    await rename(partial, path);
  } catch {
    // Then the next run measures again.
  }
}
