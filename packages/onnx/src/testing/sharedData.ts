import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Third-party models that lie beside the repository on machines that have them; tests skip without. */
export const sharedOnnxFolder = fileURLToPath(new URL('../../../../../shared/data/onnx/', import.meta.url));

export const hasSharedOnnx = existsSync(sharedOnnxFolder);
