import { listTextSets, loadTextSet } from '@quern/calibration';
import { CompressionError } from '@quern/core';
import { calibDataFolder } from './open/calibDataFolder.ts';

export interface DataSetPart {
  readonly part: 'calibration' | 'evaluation';
  readonly bytes: number;
  readonly documents: number;
  readonly sha256: string;
}

export interface DataSetListing {
  readonly id: string;
  readonly title: string;
  readonly licence: string;
  readonly parts: readonly DataSetPart[];
}

const BEGINNING = 600;

/** The sets that come with Quern. */
export async function listData(): Promise<DataSetListing[]> {
  const sets = await listTextSets(calibDataFolder());
  return sets.map(({ id, title, licence, parts }) => ({
    id,
    title,
    licence,
    parts: (['calibration', 'evaluation'] as const).map(part => ({
      part,
      bytes: parts[part].bytes,
      documents: parts[part].documents,
      sha256: parts[part].sha256,
    })),
  }));
}

/** One set and the first lines of its evaluation part, its files checked against the manifest. */
export async function showData(id: string): Promise<{ set: DataSetListing; beginning: string }> {
  const sets = await listData();
  const set = sets.find(candidate => candidate.id === id);
  if (!set) {
    const known = sets.map(candidate => candidate.id).join(', ');
    throw new CompressionError('INVALID_DATA_SET', `There is no set "${id}": known are ${known}.`, { id });
  }
  await loadTextSet(id, 'calibration', calibDataFolder());
  const text = await loadTextSet(id, 'evaluation', calibDataFolder());
  const beginning = text.documents[0] ?? '';
  return { set, beginning: beginning.length > BEGINNING ? `${beginning.slice(0, BEGINNING)}...` : beginning };
}
