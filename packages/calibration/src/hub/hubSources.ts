/** One file of a data set on the hub, and which of its texts are taken. */
export interface HubFile {
  readonly path: string;
  readonly format: 'parquet' | 'jsonl';
  /** Column or field with the text; null where the rows are kept whole. */
  readonly field: string | null;
  /** Only so many bytes from the beginning; the row that they cut is dropped. */
  readonly maximumBytes?: number;
  /** At most so many rows. */
  readonly maximumRows?: number;
  /** Joins the rows into one document; each row is one unless given. */
  readonly join?: string;
}

/** A data set that `quern data pull` knows by a short name. */
export interface HubSource {
  readonly id: string;
  readonly title: string;
  readonly language: string;
  readonly licence: string;
  readonly repository: string;
  /** A commit, or a branch whose commit is written into the manifest. */
  readonly revision: string;
  /** Two texts, or the problems of a code benchmark. */
  readonly files:
    | { readonly calibration: readonly HubFile[]; readonly evaluation: readonly HubFile[] }
    | { readonly problems: readonly HubFile[] };
}

const MEGABYTE = 1_000_000;

const wikitext = (split: string): HubFile => ({
  path: `wikitext-2-raw-v1/${split}-00000-of-00001.parquet`,
  format: 'parquet',
  field: 'text',
  join: '\n\n',
});

const c4 = (file: string): HubFile => ({
  path: `en/${file}.json.gz`,
  format: 'jsonl',
  field: 'text',
  maximumBytes: 8 * MEGABYTE,
  maximumRows: 4096,
});

const REDPAJAMA = ['arxiv', 'book', 'c4', 'cc_2023-06', 'github', 'stackexchange', 'wikipedia'];

const redpajama = (offset: number): HubFile[] =>
  REDPAJAMA.filter((_, index) => index >= offset).map(name => ({
    path: `${name}_sample.jsonl`,
    format: 'jsonl',
    field: 'text',
    maximumBytes: 4 * MEGABYTE,
    maximumRows: 256,
  }));

const stack = (language: string): HubFile => ({
  path: `data/${language}/data.json`,
  format: 'jsonl',
  field: 'content',
  maximumBytes: 4 * MEGABYTE,
  maximumRows: 256,
});

const problems = (path: string): HubFile => ({ path, format: 'parquet', field: null });

/** The sets by name. Where a revision is a branch, the set has no commit that could be looked up when this was written. */
export const hubSources: readonly HubSource[] = [
  {
    id: 'wikitext-2-raw',
    title: 'WikiText-2, raw: good and featured articles of Wikipedia',
    language: 'en',
    licence: 'CC-BY-SA-3.0',
    repository: 'Salesforce/wikitext',
    revision: 'b08601e04326c79dfdd32d625aee71d232d685c3',
    files: { calibration: [wikitext('train')], evaluation: [wikitext('test')] },
  },
  {
    id: 'c4',
    title: 'C4, English: cleaned pages of Common Crawl (the beginning of a shard)',
    language: 'en',
    licence: 'ODC-BY',
    repository: 'allenai/c4',
    revision: '1588ec454efa1a09f29cd18ddd04fe05fc8653a2',
    files: { calibration: [c4('c4-train.00000-of-01024')], evaluation: [c4('c4-validation.00000-of-00008')] },
  },
  {
    id: 'redpajama-sample',
    title: 'RedPajama sample: the beginning of each of its sources; measured on Stack Exchange and Wikipedia alone',
    language: 'en',
    licence: 'see its sources',
    repository: 'togethercomputer/RedPajama-Data-1T-Sample',
    revision: 'main',
    files: { calibration: redpajama(0).slice(0, 5), evaluation: redpajama(5) },
  },
  {
    id: 'the-stack-smol',
    title:
      'The Stack, small: source files of permissive licences; measured on other languages than it is calibrated on',
    language: 'source code',
    licence: "of each file's repository",
    repository: 'bigcode/the-stack-smol',
    revision: 'main',
    files: {
      calibration: ['python', 'javascript', 'java', 'c++'].map(stack),
      evaluation: ['typescript', 'go'].map(stack),
    },
  },
  {
    id: 'humaneval',
    title: 'HumanEval: 164 Python problems',
    language: 'python',
    licence: 'MIT',
    repository: 'openai/openai_humaneval',
    revision: '7dce6050a7d6d172f3cc5c32aa97f52fa1a2e544',
    files: { problems: [problems('openai_humaneval/test-00000-of-00001.parquet')] },
  },
  {
    id: 'mbpp',
    title: 'MBPP: 974 Python problems',
    language: 'python',
    licence: 'CC-BY-4.0',
    repository: 'google-research-datasets/mbpp',
    revision: '4bb6404fdc6cacfda99d4ac4205087b89d32030c',
    files: {
      problems: ['prompt', 'test', 'validation', 'train'].map(split =>
        problems(`full/${split}-00000-of-00001.parquet`),
      ),
    },
  },
];
