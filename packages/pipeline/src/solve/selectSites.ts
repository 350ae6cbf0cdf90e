import { CompressionError, type LinearSite } from '@quern/core';
import { parseOptions, solvers } from '@quern/solvers';
import picomatch from 'picomatch';
import type { Recipe } from '../recipe.ts';
import { readRatio } from './readRatio.ts';
import { allocationsOf, type SitePlan } from './sitePlan.ts';

/** Settings that have a name of their own in a recipe; a solver takes those that its options know. */
const SETTINGS = ['bits', 'groupSize', 'ratio'] as const;
type Settings = Pick<Recipe, (typeof SETTINGS)[number]>;

/**
 * Which sites are solved, and how: all linear weights of the decoder blocks but the excluded ones; in a graph without
 * blocks, all linear weights. Rules of the recipe win over its defaults, later rules over earlier ones. A rule with the full name
 * of a site beside the blocks, such as `lm_head`, has that one solved too; a tied head then gets bytes of its own.
 *
 * Errors: INVALID_OPTION for an unknown method, for options that a solver does not know, for a setting that no solver of the
 * recipe takes, and for a pattern that matches no site.
 * `settingsFor`: the one method that the recipe's own bits, group and ratio are for; null for all.
 */
export function selectSites(
  sites: readonly LinearSite[],
  recipe: Recipe,
  settingsFor: string | null = null,
): SitePlan[] {
  const inBlocks = sites.filter(site => site.block !== null);
  const blockCount = new Set(inBlocks.map(site => site.block)).size;
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
    let { method, options } = recipe;
    let demanded: Settings = {};
    for (const { rule, matches } of rules) {
      if (!matches(site.name)) continue;
      if (rule.method !== undefined && rule.method !== method) {
        method = rule.method;
        options = {};
        demanded = {};
      }
      demanded = { ...demanded, ...settingsOf(rule) };
      options = { ...options, ...rule.options };
    }
    if (method === 'none') continue;
    const known = settingsFor === null || settingsFor === method ? optionNames(method) : [];
    const general = Object.fromEntries(Object.entries(settingsOf(recipe)).filter(([name]) => known.includes(name)));
    const given: Record<string, unknown> = { ...general, ...demanded, ...options };
    if (given.ratio !== undefined) given.ratio = readRatio(given.ratio as number | string, site, blockCount);
    const parsed = parseOptions(solvers[method]!.optionsSchema, given, method) as SitePlan['options'];
    plans.push({ site, solver: method, options: parsed });
  }
  if (settingsFor === null) checkSettings(recipe, plans);
  return plans;
}

/** The plans that count in stored bytes and bits per weight: sites beside the blocks do not, where there are blocks. */
export function plansInTotals(plans: readonly SitePlan[]): readonly SitePlan[] {
  const inBlocks = plans.filter(plan => plan.site.block !== null);
  return inBlocks.length > 0 ? inBlocks : plans;
}

function settingsOf(from: Settings): Settings {
  return Object.fromEntries(SETTINGS.filter(name => from[name] !== undefined).map(name => [name, from[name]]));
}

function optionNames(method: string): readonly string[] {
  if (Object.hasOwn(solvers, method)) return Object.keys(solvers[method]!.optionsSchema.shape);
  throw new CompressionError(
    'INVALID_OPTION',
    `Unknown method "${method}": known are none, ${Object.keys(solvers).join(', ')}.`,
    { method },
  );
}

/** A setting that nothing takes was meant for another method. */
function checkSettings(recipe: Recipe, plans: readonly SitePlan[]): void {
  const methods = [...new Set(plans.map(plan => plan.solver))];
  if (methods.length === 0) return;
  const { allocation } = recipe;
  if (allocation !== undefined && !plans.some(plan => allocationsOf(plan).includes(allocation))) {
    throw new CompressionError(
      'INVALID_OPTION',
      `allocation (${allocation}): ${methods.join(', ')} has nothing that is spread so.`,
      { methods },
    );
  }
  for (const name of Object.keys(settingsOf(recipe))) {
    if (methods.some(method => optionNames(method).includes(name))) continue;
    throw new CompressionError(
      'INVALID_OPTION',
      `${name} (${recipe[name as keyof Settings]}): ${methods.join(', ')} takes no such setting.`,
      { setting: name, methods },
    );
  }
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
