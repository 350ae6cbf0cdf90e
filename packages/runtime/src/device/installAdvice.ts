import type { Device } from './device.ts';
import type { SystemFacts } from './inspectSystem.ts';

/** What onnxruntime-node 1.30 is built for. */
const CUDA = 'CUDA 12 and cuDNN 9';

/** The next step of someone whose device does not work, from what the system has and lacks. */
export function installAdvice(device: Device, facts: SystemFacts): string {
  if (device === 'cuda') return adviceOnCuda(facts);
  if (device === 'webgpu') return adviceOnWebgpu(facts);
  return 'Install onnxruntime-node again for this system.';
}

function adviceOnCuda(facts: SystemFacts): string {
  const { platform, runtimeFolder, hasCudaProvider, missingCudaLibraries, hasNvidiaDriver } = facts;
  if (platform !== 'linux-x64') return `CUDA works on linux-x64 only, not on ${platform}: try --device webgpu.`;
  const steps: string[] = [];
  if (!hasNvidiaDriver) steps.push('install a driver of NVIDIA (nvidia-smi finds no card)');
  if (!hasCudaProvider) {
    steps.push(
      `fetch the provider library, which is not in the npm package: ONNXRUNTIME_NODE_INSTALL=cuda12 node script/install.js in ${runtimeFolder}`,
    );
    steps.push(`install ${CUDA}, which it loads`);
  } else if (missingCudaLibraries.length > 0) {
    steps.push(`install ${CUDA} where the dynamic loader finds them; missing: ${missingCudaLibraries.join(', ')}`);
  }
  if (steps.length === 0)
    return `Provider library, ${CUDA} and driver are there: the driver may be too old for CUDA 12.`;
  return `Without CUDA --device webgpu may work. For CUDA: ${steps.join('; ')}.`;
}

function adviceOnWebgpu({ platform, hasVulkanLoader, vulkanDrivers, hasNvidiaDriver }: SystemFacts): string {
  if (platform.startsWith('win32')) return 'WebGPU needs a graphics driver with Direct3D 12.';
  if (platform.startsWith('darwin')) return 'WebGPU needs macOS with Metal.';
  if (!platform.startsWith('linux')) return `ONNX Runtime has no WebGPU for ${platform}.`;
  const steps: string[] = [];
  if (!hasVulkanLoader) {
    steps.push('install the Vulkan loader, libvulkan.so.1 (libvulkan1 on Debian and Ubuntu, vulkan-loader on Fedora)');
  }
  if (vulkanDrivers.length === 0) {
    steps.push(
      hasNvidiaDriver
        ? "point VK_DRIVER_FILES at nvidia_icd.json, which comes with NVIDIA's driver; containers may leave it out"
        : 'install a Vulkan driver (mesa-vulkan-drivers for Intel and AMD, NVIDIA’s own for its cards)',
    );
  }
  if (steps.length > 0) return `WebGPU runs on Vulkan here: ${steps.join('; ')}.`;
  return `The Vulkan loader and ${vulkanDrivers.join(', ')} are there, but no adapter of theirs can be used: is this user allowed to open the device (/dev/dri, group render)?`;
}
