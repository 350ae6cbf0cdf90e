const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

// C0 and C1 controls, lone surrogates and the marks that turn the direction of text: none may stand in a page.
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A string as text or as a quoted attribute of HTML; controls become U+FFFD, apart from tab and line feed. */
export function escapeHtml(text: string): string {
  return text
    .replace(UNPRINTABLE, mark => (mark === '\n' || mark === '\t' ? mark : '\uFFFD'))
    .replace(/[&<>"']/g, mark => ENTITIES[mark]!);
}
