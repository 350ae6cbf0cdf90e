import { CompressionError, type LinearSite } from '@quern/core';
import { parseOptions, solvers } from '@quern/solvers';
import picomatch from 'picomatch';
import type { Recipe } from '../recipe.ts';

/** One site with what the recipe wants done to it. */
export interface SitePlan {
  readonly site: LinearSite;
  readonly solver: string;
  readonly bits: number;
  /** Inputs that share a scale; `inFeatures` for per channel. */
  readonly groupSize: number;
  readonly options: Readonly<Record<string, number | boolean | string>>;
}

/**
 * Which sites are solved, and how: all linear weights of the decoder blocks but the excluded ones; in a graph without
 * blocks, all linear weights. Rules of the recipe win over its defaults, later rules over earlier ones. A rule with the full name
 * of a site beside the blocks, such as `lm_head`, has that one solved too; a tied head then gets bytes of its own.
 *
 * Errors: INVALID_OPTION for an unknown method, for options that a solver does not know, and for a pattern that matches no site.
 */
export function selectSites(sites: readonly LinearSite[], recipe: Recipe): SitePlan[] {
  const inBlocks = sites.filter(site => site.block !== null);
  const named = new Set(recipe.rules.map(rule => rule.sites));
  const candidates = inBlocks.length > 0 ? sites.filter(site => site.block !== null || named.has(site.name)) : sites;
  checkPatterns(
    candidates,
    recipe.rules.map(rule => rule.sites),
  );
  checkPatterns(sites, recipe.exclude, ' Embeddings are not sites: headBits 16 leaves them and the head as they are.');
  const excluded = recipe.exclude.map(pattern => picomatch(pattern));
  const rules = recipe.rules.map(rule => ({ rule, matches: picomatch(rule.sites) }));
  const plans: SitePlan[] = [];
  for (const site of candidates) {
    if (excluded.some(matches => matches(site.name))) continue;
    let { method, bits, groupSize, options } = recipe;
    for (const { rule, matches } of rules) {
      if (!matches(site.name)) continue;
      if (rule.method !== undefined && rule.method !== method) {
        method = rule.method;
        options = {};
      }
      bits = rule.bits ?? bits;
      groupSize = rule.groupSize ?? groupSize;
      options = { ...options, ...rule.options };
    }
    if (method === 'none') continue;
    checkMethod(method);
    const inputs = groupSize === 'channel' || groupSize >= site.inFeatures ? site.inFeatures : groupSize;
    const plan = { site, solver: method, bits, groupSize: inputs, options };
    parseOptions(solvers[method]!.optionsSchema, solverOptions(plan), method);
    plans.push(plan);
  }
  return plans;
}

/** What a plan gives to its solver. */
export function solverOptions(plan: SitePlan): Readonly<Record<string, number | boolean | string>> {
  const perChannel = plan.groupSize >= plan.site.inFeatures;
  return { ...plan.options, bits: plan.bits, groupSize: perChannel ? 'channel' : plan.groupSize };
}

/** The plans that count in stored bytes and bits per weight: sites beside the blocks do not, where there are blocks. */
export function plansInTotals(plans: readonly SitePlan[]): readonly SitePlan[] {
  const inBlocks = plans.filter(plan => plan.site.block !== null);
  return inBlocks.length > 0 ? inBlocks : plans;
}

function checkMethod(method: string): void {
  if (Object.hasOwn(solvers, method)) return;
  throw new CompressionError(
    'INVALID_OPTION',
    `Unknown method "${method}": known are none, ${Object.keys(solvers).join(', ')}.`,
    { method },
  );
}

function checkPatterns(sites: readonly LinearSite[], patterns: readonly string[], advice = ''): void {
  for (const pattern of patterns) {
    const matches = picomatch(pattern);
    if (sites.some(site => matches(site.name))) continue;
    throw new CompressionError(
      'INVALID_OPTION',
      `The pattern "${pattern}" matches none of the ${sites.length} sites; a name looks like ${sites[0]?.name ?? '-'}.${advice}`,
      { pattern },
    );
  }
}
