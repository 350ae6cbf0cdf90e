import { isEntropyCoded } from '@quern/solvers';
import { nominalBitsOf, type SitePlan, solverOf } from '../solve/sitePlan.ts';

/** How many sites are treated in one way. */
export interface WayCount {
  /** `name:bits:group`, and `name:least to most` bits for methods made for the entropy coder, whose rates differ from site to site. */
  readonly way: string;
  readonly sites: number;
}

/** The ways of a choice, by name. */
export function countWays(plans: readonly SitePlan[]): WayCount[] {
  const isRate = (plan: SitePlan): boolean => isEntropyCoded(solverOf(plan));
  const ways = Map.groupBy(plans, plan => (isRate(plan) ? plan.solver : wayOf(plan)));
  return [...ways]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([way, own]) => ({ way: isRate(own[0]!) ? `${way}:${rangeOf(own)}` : way, sites: own.length }));
}

/** `name:bits:group` of a plan, as far as its method has them; floats have no group. */
export function wayOf(plan: SitePlan): string {
  const { groupSize } = plan.options;
  const isGrouped = groupSize !== undefined && nominalBitsOf(plan) < 16;
  return [plan.solver, bitsOf(plan), ...(isGrouped ? [groupSize] : [])].join(':');
}

function rangeOf(plans: readonly SitePlan[]): string {
  const bits = plans.map(bitsOf);
  const [least, most] = [Math.min(...bits), Math.max(...bits)];
  return least === most ? String(least) : `${least} to ${most}`;
}

function bitsOf(plan: SitePlan): number {
  return Number(nominalBitsOf(plan).toFixed(2));
}
