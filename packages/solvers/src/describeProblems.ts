import { z } from 'zod';

/** The parts of a JSON schema that limits are read from. */
interface Limits {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Limits[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
  /** What a text is, such as an expression. */
  readonly title?: string;
  readonly properties?: Readonly<Record<string, Limits>>;
  readonly items?: Limits;
  readonly additionalProperties?: Limits | boolean;
}

const KINDS: Readonly<Record<string, string>> = {
  number: 'a number',
  boolean: 'true or false',
  string: 'text',
  array: 'a list',
  object: 'a mapping',
};

/** What is wrong with `input`, one line a problem: key, value and limit, such as `bits (9): must be 2..8`. */
export function describeProblems(schema: z.ZodType, error: z.ZodError, input: unknown): string[] {
  const root = z.toJSONSchema(schema, { io: 'input' }) as Limits;
  return error.issues.flatMap(issue => {
    const limits = limitsAt(root, issue.path);
    if (issue.code === 'unrecognized_keys') {
      const known = Object.keys(limits?.properties ?? {}).join(', ');
      return issue.keys.map(key => `${nameOf([...issue.path, key])}: no such key; known are ${known}`);
    }
    const value = valueAt(input, issue.path);
    const shown = value === undefined ? ' is missing' : ` (${show(value)})`;
    const isOwn = !/^(Invalid|Too|Unrecognized) /.test(issue.message);
    const limit = isOwn || !limits ? issue.message : `must be ${describe(limits, typeof value === 'number')}`;
    return [`${nameOf(issue.path)}${shown}: ${limit}`];
  });
}

function describe(limits: Limits, isNumber: boolean): string {
  if (limits.enum) return oneOf(limits.enum.map(String));
  if (limits.const !== undefined) return String(limits.const);
  if (limits.anyOf) return oneOf(limits.anyOf.map(each => describe(each, isNumber)));
  if (Array.isArray(limits.type)) return oneOf(limits.type.map(type => KINDS[type] ?? type));
  const { minimum, exclusiveMinimum, maximum = Number.MAX_SAFE_INTEGER, exclusiveMaximum } = limits;
  const hasMaximum = maximum < Number.MAX_SAFE_INTEGER;
  if (limits.type === 'integer') {
    const range = hasMaximum ? `${minimum}..${maximum}` : `at least ${minimum}`;
    return isNumber && hasMaximum ? range : `a whole number, ${range}`;
  }
  const bounds = [
    ...(exclusiveMinimum === undefined ? [] : [`above ${exclusiveMinimum}`]),
    ...(minimum === undefined ? [] : [`at least ${minimum}`]),
    ...(hasMaximum && limits.type === 'number' ? [`at most ${maximum}`] : []),
    ...(exclusiveMaximum === undefined ? [] : [`below ${exclusiveMaximum}`]),
  ];
  const kind = limits.title ?? KINDS[String(limits.type)] ?? String(limits.type);
  return bounds.length > 0 ? `${isNumber ? '' : `${kind} `}${bounds.join(' and ')}` : kind;
}

function limitsAt(root: Limits, path: readonly PropertyKey[]): Limits | undefined {
  let limits: Limits | undefined = root;
  for (const key of path) {
    const outer: Limits = limits ?? {};
    const others = typeof outer.additionalProperties === 'object' ? outer.additionalProperties : undefined;
    limits = typeof key === 'number' ? outer.items : (outer.properties?.[String(key)] ?? others);
  }
  return limits;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) value = (value as Readonly<Record<PropertyKey, unknown>> | undefined)?.[key];
  return value;
}

/** JSON, but for numbers that it does not know. */
function show(value: unknown): string {
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

/** `rules[1].bits` */
function nameOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the whole';
  return path
    .map((key, depth) => (typeof key === 'number' ? `[${key}]` : `${depth > 0 ? '.' : ''}${String(key)}`))
    .join('');
}

function oneOf(choices: readonly string[]): string {
  return choices.length < 2 ? choices.join() : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
}
