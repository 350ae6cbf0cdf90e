import type { ResolvedDevice } from '@quern/runtime';
import { describeDevice } from './describeDevice.ts';

/** Where a run that solves takes place, in words: device, and where solvers multiply, should that be elsewhere. */
export function describePlaces(chosen: ResolvedDevice): string {
  const { device, solvesOn } = chosen;
  const elsewhere = `, solvers on ${solvesOn}: beside it ${device} is too little faster for matrices that travel`;
  return `${describeDevice(chosen)}${solvesOn === device ? '' : elsewhere}`;
}
