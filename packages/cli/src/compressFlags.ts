import { Command, Option } from 'commander';
import {
  addDeviceOptions,
  addWindowOptions,
  type DeviceFlags,
  names,
  positiveNumber,
  type WindowFlags,
  wholeNumber,
} from './options.ts';

export interface CompressFlags extends DeviceFlags, WindowFlags {
  readonly out?: string;
  readonly recipe?: string;
  readonly method?: string;
  readonly bits?: number;
  readonly methods?: readonly string[];
  readonly bitsPerWeight?: string;
  readonly targetSize?: string;
  readonly maxPerplexityIncrease?: string;
  readonly groupSize?: string;
  readonly ratio?: string;
  readonly calibration?: string;
  readonly statistics?: readonly string[];
  readonly windows?: number;
  readonly seed?: number;
  readonly exclude?: readonly string[];
  readonly rotate?: string;
  readonly headBits?: number;
  readonly storage?: string;
  readonly target?: string;
  readonly accuracyLevel?: number;
  readonly dtype?: string;
  readonly layout?: string;
  readonly feeds?: string;
  readonly evaluate: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly resume?: boolean;
}

/** A command that takes every flag of compress; options of its own come first, and replace those of the same name. */
export function addCompressOptions(name: string, own: readonly Option[] = []): Command {
  const command = new Command(name).argument('<model>', 'a checkpoint folder or an .onnx file');
  const names = new Set(own.map(({ long }) => long));
  for (const option of [...own, ...allOptions().filter(({ long }) => !names.has(long))]) command.addOption(option);
  return command;
}

function allOptions(): readonly Option[] {
  const command = new Command()
    .option('--out <dir>', 'folder for the result')
    .option('--recipe <file>', 'settings from a YAML file; flags win over it')
    .option(
      '--method <name>',
      'gptq, rtn, hqq, awq, aqlm, watersic, svd, asvd, svd-llm, svd-llm-v2, basis-sharing, compot, cospadi, cospadi-grouped, geopair, rocket, dictionary, or none for plain fp32/fp16; name:bits:group and name+lowrank are understood (default: gptq)',
    )
    .option(
      '--bits <b>',
      'bits of the grid or of the factors, 2..8; for watersic stored bits per weight, any number 1..8; for aqlm those of the codes (default: 4; aqlm 2; float16 factors)',
      positiveNumber,
    )
    .option(
      '--methods <list>',
      'methods by commas, each name[:bits[:group]][+correction]: what a budget chooses among (default: gptq, and watersic in packed files)',
      names,
    )
    .addOption(
      new Option(
        '--bits-per-weight <b>',
        'budget: stored bits per weight of the solved weights, at most; bits are chosen site by site',
      ).conflicts(['bits', 'ratio', 'targetSize', 'maxPerplexityIncrease']),
    )
    .addOption(
      new Option('--target-size <size>', 'budget: graph and data together, at most, such as 3.2MB or 3 MiB').conflicts([
        'bits',
        'ratio',
        'maxPerplexityIncrease',
      ]),
    )
    .addOption(
      new Option(
        '--max-perplexity-increase <share>',
        'budget: rise of the perplexity on the evaluation text, at most, such as 2%',
      ).conflicts(['bits', 'ratio']),
    )
    .option('--group-size <g>', 'inputs that share a scale: 16..256, power of two, or channel (default: 32)')
    .option(
      '--ratio <r>',
      'fraction of the 16-bit bytes to remove, for factorisations; may be an expression over block and blockCount',
    )
    .option(
      '--calibration <set|file>',
      'text that calibrates: a set, a file, general (prose and stories), mixed (general and code), or self, which the model writes (default: stories)',
    )
    .addOption(
      new Option(
        '--statistics <folders>',
        'solve from what quern capture wrote, instead of running the model; several, by commas, add up',
      )
        .argParser(names)
        .conflicts(['calibration', 'windows']),
    )
    .option('--feeds <folder>', 'inputs as .npy or .json files, for .onnx models that read no text')
    .option('--windows <n>', 'calibration windows, or samples of --feeds, at most (default: 128)', wholeNumber(1))
    .option('--seed <n>', 'seed of everything random (default: 0)', wholeNumber(0))
    .option(
      '--exclude <glob>',
      'linear sites that stay as they are (embeddings: --head-bits 16); may be repeated',
      collect,
    )
    .addOption(
      new Option(
        '--rotate <when>',
        'fold random rotations into the weights, so that no channel stands out; auto tries both (default: false)',
      ).choices(['true', 'false', 'auto']),
    )
    .option('--head-bits <b>', 'bits of embedding and head, 16 leaves them (default: 8)', wholeNumber(1))
    .addOption(
      new Option(
        '--storage <kind>',
        'how codes lie in the file (default: packed for watersic and for a budget without a method, packed-onnx for sparse dictionaries, else container)',
      ).choices(['container', 'packed', 'packed-onnx']),
    )
    .addOption(
      new Option('--target <device>', 'where the result will run (default: cpu)').choices([
        'cpu',
        'cuda',
        'webgpu',
        'wasm',
      ]),
    )
    .option('--accuracy-level <0|4>', '4: int8 activations, fast; 0: float32 arithmetic (default: 4)', wholeNumber(0))
    .addOption(new Option('--dtype <type>', 'everything not quantised (default: fp32)').choices(['fp32', 'fp16']))
    .addOption(
      new Option('--layout <client>', 'folder layout (default: transformersjs)').choices(['transformersjs', 'genai']),
    )
    .option('--evaluate <set|file|none>', 'text that measures perplexity before and after', 'stories')
    .option('--dry-run', 'print the plan and stop')
    .option('--force', 'write into a folder that is not empty, replacing files of the same name and an earlier result')
    .addOption(
      new Option('--resume', 'continue the run that stands in the output folder, or start one').conflicts('force'),
    );
  return addDeviceOptions(addWindowOptions(command)).options;
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}
