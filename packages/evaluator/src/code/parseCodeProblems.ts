import { CompressionError } from '@quern/core';
import type { CodeBenchmark, CodeProblem } from './codeProblem.ts';

type Row = Readonly<Record<string, unknown>>;

/**
 * The problems of a benchmark's JSON lines, in their order.
 *
 * - `humaneval`: Chen et al., arXiv:2107.03374, with the stop texts of its section 2.1.
 * - `humaneval_js`: the same problems in JavaScript (HumanEval-X, arXiv:2303.17568); every prompt opens a function, so its closing
 *   brace at the beginning of a line ends a completion.
 * - `mbpp`: Austin et al., arXiv:2108.07732; prompted with the text and the tests in a docstring, as Fried et al., arXiv:2204.05999,
 *   do. Tasks 11 to 510 are scored.
 *
 * `path` is named in errors. Errors: INVALID_DATA_SET with the line and the field that is missing.
 */
export function parseCodeProblems(benchmark: CodeBenchmark, content: string, path: string): CodeProblem[] {
  const problems = content
    .split('\n')
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, number }) => READERS[benchmark](parseRow(line, number, path), field(number, path, benchmark)));
  if (problems.length > 0) return problems;
  throw new CompressionError('INVALID_DATA_SET', `${path} holds no problems. Name the JSON lines of ${benchmark}.`, {
    path,
  });
}

type ReadField = (row: Row, name: string) => string;

const READERS: Readonly<Record<CodeBenchmark, (row: Row, text: ReadField) => CodeProblem>> = {
  humaneval: (row, text) => {
    const prompt = text(row, 'prompt');
    const [test, entry] = [text(row, 'test'), text(row, 'entry_point')];
    return {
      id: text(row, 'task_id'),
      prompt,
      stops: ['\nclass', '\ndef', '\n#', '\nif', '\nprint'],
      closing: '\n',
      canonical: text(row, 'canonical_solution'),
      isScored: true,
      program: completion => ({
        language: 'python',
        candidate: prompt + completion,
        test,
        call: `check(${entry})`,
      }),
    };
  },
  humaneval_js: (row, text) => {
    const prompt = text(row, 'prompt');
    const test = text(row, 'test');
    return {
      id: text(row, 'task_id'),
      prompt,
      stops: ['\n}'],
      closing: '\n}\n',
      canonical: text(row, 'canonical_solution'),
      isScored: true,
      program: completion => ({ language: 'javascript', candidate: prompt + completion, test, call: '' }),
    };
  },
  mbpp: (row, text) => {
    const tests = row.test_list;
    const isList = Array.isArray(tests) && tests.every(test => typeof test === 'string');
    const test = isList ? tests.join('\n') : text(row, 'test_list');
    const number = Number(row.task_id);
    const setup = typeof row.test_setup_code === 'string' ? row.test_setup_code : '';
    return {
      id: `MBPP/${number}`,
      prompt: `"""\n${text(row, 'text')}\n${test}\n"""\n`,
      stops: ['\nclass', '\nassert', '\n"""', '\nprint', '\nif', '\n```'],
      closing: '\n',
      canonical: text(row, 'code'),
      isScored: number >= 11 && number <= 510,
      program: completion => ({
        language: 'python',
        candidate: completion.replaceAll('\r\n', '\n'),
        test: `${setup.replaceAll('\r\n', '\n')}\n${test}`,
        call: '',
      }),
    };
  },
};

function parseRow(line: string, number: number, path: string): Row {
  try {
    const row: unknown = JSON.parse(line);
    if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row as Row;
  } catch {
    // The same fault as a value that is no object.
  }
  throw new CompressionError('INVALID_DATA_SET', `Line ${number} of ${path} is no JSON object. Fetch the file again.`, {
    path,
    line: number,
  });
}

function field(number: number, path: string, benchmark: CodeBenchmark): ReadField {
  return (row, name) => {
    const value = row[name];
    if (typeof value === 'string') return value;
    throw new CompressionError(
      'INVALID_DATA_SET',
      `Line ${number} of ${path} has no text in "${name}", which ${benchmark} needs. Is it another benchmark's file?`,
      { path, line: number, field: name },
    );
  };
}
