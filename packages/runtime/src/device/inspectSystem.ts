import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** What accelerators need of a system, as far as its files tell. */
export interface SystemFacts {
  /** `linux-x64`. */
  readonly platform: string;
  /** Folder of onnxruntime-node. */
  readonly runtimeFolder: string;
  /** CUDA's provider library lies beside ONNX Runtime. */
  readonly hasCudaProvider: boolean;
  /** Libraries that the provider needs and the dynamic loader does not find. */
  readonly missingCudaLibraries: readonly string[];
  /** nvidia-smi finds a card. */
  readonly hasNvidiaDriver: boolean;
  /** The dynamic loader finds libvulkan.so.1. */
  readonly hasVulkanLoader: boolean;
  /** Descriptions of Vulkan drivers: files that exist. */
  readonly vulkanDrivers: readonly string[];
}

/** Looks at files and asks `ldd`, `ldconfig` and `nvidia-smi`; opens no driver. What a system does not have counts as missing. */
export async function inspectSystem(
  environment: NodeJS.ProcessEnv = process.env,
  runtimeFolder = installedRuntime(),
): Promise<SystemFacts> {
  const folder = join(runtimeFolder, 'bin', 'napi-v6', process.platform, process.arch);
  const provider = join(folder, 'libonnxruntime_providers_cuda.so');
  const hasCudaProvider = existsSync(provider);
  return {
    platform: `${process.platform}-${process.arch}`,
    runtimeFolder,
    hasCudaProvider,
    missingCudaLibraries: hasCudaProvider ? missingLibraries(await output('ldd', provider)) : [],
    hasNvidiaDriver: (await output('nvidia-smi', '-L')).includes('GPU'),
    hasVulkanLoader: await findsLibrary('libvulkan.so.1', environment),
    vulkanDrivers: await vulkanDrivers(environment),
  };
}

function installedRuntime(): string {
  return dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
}

/** Names that `ldd` marks as not found. */
export function missingLibraries(ldd: string): string[] {
  return Array.from(ldd.matchAll(/^\s*(\S+) => not found/gm), match => match[1]!);
}

async function findsLibrary(name: string, environment: NodeJS.ProcessEnv): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const folders = (environment.LD_LIBRARY_PATH ?? '').split(delimiter).filter(Boolean);
  if (folders.some(folder => existsSync(join(folder, name)))) return true;
  // Not on the path of users everywhere.
  const known = (await output('ldconfig', '-p')) || (await output('/sbin/ldconfig', '-p'));
  return known.includes(name);
}

/** Where the Vulkan loader looks; one that the environment names replaces the folders. */
async function vulkanDrivers(environment: NodeJS.ProcessEnv): Promise<string[]> {
  const named = environment.VK_DRIVER_FILES ?? environment.VK_ICD_FILENAMES;
  if (named !== undefined) return named.split(delimiter).filter(path => existsSync(path));
  const data = ['/etc', '/usr/local/share', '/usr/share', join(homedir(), '.local', 'share')];
  const found: string[] = [];
  for (const folder of data.map(root => join(root, 'vulkan', 'icd.d'))) {
    const files = await readdir(folder).catch(() => []);
    found.push(...files.filter(file => file.endsWith('.json')).map(file => join(folder, file)));
  }
  return found;
}

/** What a command prints; nothing where it is not there or fails. */
async function output(command: string, ...args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)(command, args, { timeout: 10_000 })).stdout;
  } catch {
    return '';
  }
}
