import { createHash } from 'node:crypto';
import { cpus } from 'node:os';
import type { EngineDescription } from '@quern/linalg';
import { serializeModel } from '@quern/onnx';
import { type Device, describeGpus } from '@quern/runtime';
import type { CompressRequest } from '../compressRequest.ts';
import { type Material, materialContent } from '../open/material.ts';
import type { OpenedModel } from '../open/openModel.ts';
import { versions } from '../versions.ts';
import type { JobContent } from './jobKey.ts';

/** To be raised with every change of what a solver makes of the same input: versions tell releases apart, not the work between them. */
const REVISION = 5;

export interface OriginParts {
  readonly opened: OpenedModel;
  readonly sources: readonly string[];
  readonly calibration: Material | null;
  readonly request: CompressRequest;
  readonly device: Device;
  readonly solvesOn: Device;
  readonly engine: EngineDescription;
}

/** What every job of a run is made from; anything that can change a bit of its result stands here or in the job. */
export async function originOf(parts: OriginParts): Promise<Readonly<Record<string, JobContent>>> {
  const { opened, sources, calibration, request, device, solvesOn, engine } = parts;
  const { dtype, accuracyLevel, seed } = request.recipe;
  const { gemm, factorization, openBlas } = engine;
  const isOnCpu = device === 'cpu' && solvesOn === 'cpu';
  return {
    versions: { ...versions() },
    revision: REVISION,
    engine: { gemm, factorization, openBlas: openBlas?.configuration ?? null },
    // Another processor may round differently, and another graphics card.
    machine: [process.platform, process.arch, cpus()[0]?.model ?? '', ...(isOnCpu ? [] : await describeGpus())],
    device,
    solvesOn,
    // The graph of a checkpoint also depends on its config.json.
    model: [createHash('sha256').update(serializeModel(opened.model)).digest('hex'), ...sources],
    dtype,
    // The compressed prefix runs with the kernels of the result.
    accuracyLevel,
    seed,
    calibration: calibration && materialContent(calibration),
  };
}
