import { describe, expect, it } from 'vitest';
import { renderEvaluationReport } from './renderEvaluationReport.ts';
import { sampleEvaluation } from './testSupport/sampleEvaluation.ts';

describe('renderEvaluationReport', () => {
  it('gives the same bytes for the same evaluation', () => {
    expect(renderEvaluationReport(sampleEvaluation())).toBe(renderEvaluationReport(sampleEvaluation()));
  });

  it('draws a mark with a title for each document, twice, and a ring for each that is shown', () => {
    const page = renderEvaluationReport(sampleEvaluation({ documentCount: 30 }));
    expect(page.match(/<title>document \d+: /g)).toHaveLength(60);
    expect(page.match(/<article class="damaged">/g)).toHaveLength(6);
  });

  it('shows a text whole, escaped, with the five largest divergences numbered', () => {
    const evaluation = sampleEvaluation();
    const page = renderEvaluationReport({ ...evaluation, damaged: evaluation.damaged.slice(0, 1) });
    const text = /<p class="text">([\s\S]*?)<\/p>/.exec(page)![1]!;
    expect(text.match(/<sup>[1-5]<\/sup>/g)).toHaveLength(5);
    const plain = text.replaceAll(/<sup>\d<\/sup>|<[^>]*>/g, '');
    const unescaped = plain.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
    expect(unescaped).toBe(evaluation.damaged[0]!.tokens.map(token => token.text).join(''));
    const largest = evaluation.damaged[0]!.tokens.filter(token => token.isScored).toSorted(
      (a, b) => b.divergence - a.divergence,
    )[0]!;
    expect(text).toMatch(
      new RegExp(`<mark class="level-0"[^>]*KL ${largest.divergence.toFixed(2)}[^>]*>[^<]*<sup>1</sup>`),
    );
  });

  it('escapes what comes from outside: the model, the text, the tokens', () => {
    const page = renderEvaluationReport(
      sampleEvaluation({ model: 'out/<script>x', text: '<script>alert(1)</script>' }),
    );
    expect(page).not.toContain('<script');
    expect(page).toContain('&lt;script&gt;alert(1)');
  });

  it('draws one document, and a model that lost nothing', () => {
    const one = sampleEvaluation({ documentCount: 1 });
    expect(renderEvaluationReport(one)).not.toMatch(/NaN|undefined/);
    expect(renderEvaluationReport({ ...one, damaged: [] })).toContain('No document lost anything.');
  });
});
