import { expect, it } from 'vitest';
import { escapeHtml } from './escapeHtml.ts';

it.each([
  ['<script>alert("1")</script>', '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;'],
  ["a' onload='b", 'a&#39; onload=&#39;b'],
  ['&lt;', '&amp;lt;'],
  ['models/größe 模型', 'models/größe 模型'],
  ['a\u0000b\u202Ec\u009f', 'a\uFFFDb\uFFFDc\uFFFD'],
  ['\uD800 alone, \u{1F600} paired', '\uFFFD alone, \u{1F600} paired'],
  ['two\nlines\tand a tab', 'two\nlines\tand a tab'],
])('%j', (text, escaped) => {
  expect(escapeHtml(text)).toBe(escaped);
});
