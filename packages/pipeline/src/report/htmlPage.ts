import { escapeHtml } from './escapeHtml.ts';
import { REPORT_STYLE } from './reportStyle.ts';

/** A part of a page: id, title, content as HTML; without content it is left out. */
export type Section = readonly [id: string, title: string, content: string];

/** A page that needs no network and no script. `title` is plain text, `subtitle` and the contents are HTML. */
export function htmlPage(title: string, subtitle: string, sections: readonly Section[]): string {
  const body = sections
    .filter(([, , content]) => content !== '')
    .map(
      ([id, heading, content]) => `<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${heading}</h2>
${content}
</section>`,
    );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<main>
<header>
<h1>${escapeHtml(title)}</h1>
<p>${subtitle}</p>
</header>
${body.join('\n')}
</main>
</body>
</html>
`;
}
