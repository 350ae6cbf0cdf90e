import { type Command, InvalidArgumentError, Option } from 'commander';

/** Commander parser for a whole number of at least `minimum`. */
export function wholeNumber(minimum: number): (text: string) => number {
  return text => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < minimum) {
      throw new InvalidArgumentError(`Expected a whole number of at least ${minimum}.`);
    }
    return value;
  };
}

/** Commander parser for a number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

/** Commander parser for a number of at least 0. */
export function nonNegativeNumber(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0 && text.trim() !== '') return value;
  throw new InvalidArgumentError('Expected a number of at least 0.');
}

/** Commander parser for a number above 0 and up to 1. */
export function fraction(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a number above 0, 1 at most.');
}

/** Commander parser for names separated by commas. */
export function names(text: string): readonly string[] {
  return text.split(',').map(part => part.trim());
}

/** Commander parser for numbers above 0, separated by commas. */
export function numbers(text: string): readonly number[] {
  return names(text).map(positiveNumber);
}

/** Commander parser for fractions separated by commas, each from 0 to below 1. */
export function fractions(text: string): readonly number[] {
  return names(text).map(part => {
    const value = Number(part);
    if (part !== '' && value >= 0 && value < 1) return value;
    throw new InvalidArgumentError('Expected fractions from 0 to below 1, separated by commas.');
  });
}

/** Adds what evaluate and compress share about the machine. */
export function addDeviceOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--device <device>', 'where to run').choices(['auto', 'cpu', 'cuda', 'webgpu']).default('auto'),
    )
    .option('--threads <n>', 'threads (default: all cores)', wholeNumber(1))
    .option('--json', 'print one JSON object on stdout and nothing else');
}

/** Adds what decides how a text becomes windows. */
export function addWindowOptions(command: Command): Command {
  return command
    .option('--window-length <n>', 'tokens a window (default: 512 or the context, whichever is less)', wholeNumber(2))
    .option('--per-document', 'score each document alone, cut at the context')
    .option('--tokenizer <folder>', 'folder with tokenizer.json and config.json, for .onnx files');
}

export interface DeviceFlags {
  readonly device: 'auto' | 'cpu' | 'cuda' | 'webgpu';
  readonly threads?: number;
  readonly json?: boolean;
}

export interface WindowFlags {
  readonly windowLength?: number;
  readonly perDocument?: boolean;
  readonly tokenizer?: string;
}
