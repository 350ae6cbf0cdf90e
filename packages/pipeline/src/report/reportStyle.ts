/**
 * The page's style. Colours are variables that the plots use too, so one drawing serves a light and a dark page. Series colours stay
 * apart for the common kinds of colour blindness, and each series has its own symbol; the colours of the heat map rise in lightness
 * alone, from the page's own end of the scale to the other.
 */
export const REPORT_STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --surface: #ffffff; --ink: #1b2430; --muted: #5a6675; --rule: #aab4c0; --grid: #e6eaef;
  --accent: #0b5cad; --front: #dfe7f1; --mark: #e3eefb; --failed: #9c2a1b;
  --series-0: #0068b3; --series-1: #d1500a; --series-2: #00876c; --series-3: #a8459b;
  --series-4: #b07d00; --series-5: #3d9cd6; --series-6: #7d1d4f; --series-7: #5d6773;
  --heat-0: #fff3c9; --heat-1: #fedc97; --heat-2: #fdc272; --heat-3: #f9a65e; --heat-4: #f28b57;
  --heat-5: #e67156; --heat-6: #d75858; --heat-7: #c1465f; --heat-8: #a93464; --heat-9: #8d2867;
  --heat-10: #721f64; --heat-11: #57185b; --heat-12: #3d1052;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10151c; --surface: #18202a; --ink: #e8edf3; --muted: #a3b0bf; --rule: #566373; --grid: #28323f;
    --accent: #7fbcff; --front: #2e3b4c; --mark: #1f3a58; --failed: #ff9b8a;
    --series-0: #4fa9f0; --series-1: #ff8b4f; --series-2: #2ccca0; --series-3: #e58ad8;
    --series-4: #efc13c; --series-5: #a5dcff; --series-6: #e0678f; --series-7: #b9c2cd;
    --heat-0: #2c1a45; --heat-1: #461e5a; --heat-2: #622564; --heat-3: #7e2e69; --heat-4: #9a3967;
    --heat-5: #b44862; --heat-6: #cb595b; --heat-7: #df6e54; --heat-8: #eb8854; --heat-9: #f4a25a;
    --heat-10: #f9bd68; --heat-11: #fdd78a; --heat-12: #fff0ae;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere; -webkit-text-size-adjust: 100%;
}
main { max-width: 1212px; margin: 0 auto; padding: 28px 16px 48px; }
header h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
header p { margin: 0; color: var(--muted); }
section { background: var(--surface); border: 1px solid var(--grid); border-radius: 10px; padding: 18px 20px; margin-top: 18px; }
h2 { font-size: 1.15rem; margin: 0 0 8px; }
figure { margin: 0; }
figcaption, .note { color: var(--muted); font-size: 0.9rem; margin: 8px 0 0; }
.lead { margin: 0 0 14px; max-width: 78ch; }
svg { display: block; }
.wide svg, .narrow svg { width: 100%; height: auto; }
.narrow { display: none; }
.scroll, .heat { overflow-x: auto; overscroll-behavior-x: contain; }
.scroll:focus-visible, .heat:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; font-size: 0.88rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
caption { text-align: left; color: var(--muted); padding-bottom: 4px; }
th, td { padding: 6px 12px 6px 0; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--grid); white-space: nowrap; }
thead th { color: var(--muted); font-weight: 600; vertical-align: bottom; border-bottom-color: var(--rule); }
tbody th { font-weight: 600; }
tbody tr:last-child > * { border-bottom: 0; }
.number { text-align: right; }
.results { width: 100%; }
.results thead th { white-space: normal; min-width: 4.6em; line-height: 1.25; }
.results th:first-child { position: sticky; left: 0; background: var(--surface); z-index: 1; min-width: 9em; }
.results tr.front > * { background: var(--mark); }
.results td.options { color: var(--muted); }
.results td.options span { margin-right: 0.5em; }
.results th, .results td { padding-left: 8px; padding-right: 8px; }
.place { color: var(--muted); }
.mark { font-size: 0.75rem; font-weight: 500; color: var(--accent); border: 1px solid currentColor; border-radius: 99px; padding: 0 6px; margin-left: 4px; }
.failed td, .failures strong { color: var(--failed); }
.failures { margin: 0; padding-left: 1.2em; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px; list-style: none; margin: 0 0 10px; padding: 0; font-size: 0.85rem; color: var(--muted); }
.legend li { display: flex; align-items: center; gap: 6px; }
.swatch { width: 18px; height: 14px; border: 1px solid var(--rule); border-radius: 2px; }
.heat { display: flex; align-items: flex-start; }
.heat svg { flex: none; }
.heat-rows { flex: none; position: sticky; left: 0; z-index: 1; margin: 0; padding: 0 10px 0 0; list-style: none; background: var(--surface); max-width: 180px; }
.heat-rows li { height: 22px; line-height: 22px; font-size: 0.8rem; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.facts { margin: 0; }
.facts div { display: grid; grid-template-columns: 19em 1fr; gap: 2px 12px; padding: 5px 0; border-top: 1px solid var(--grid); }
.facts div:first-child { border-top: 0; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; font-variant-numeric: tabular-nums; }
.settings { margin: 0; font-size: 0.9rem; }
.settings div { display: grid; grid-template-columns: 12em 1fr; gap: 12px; padding: 5px 0; border-top: 1px solid var(--grid); }
.settings div:first-child { border-top: 0; }
.settings dt { color: var(--muted); }
.settings dd { margin: 0; font-family: ui-monospace, monospace; font-size: 0.84rem; white-space: pre-wrap; }
.scores { margin: 0; }
.score { display: grid; grid-template-columns: 10em 19.5em 1fr; gap: 4px 16px; align-items: center; padding: 5px 0; border-top: 1px solid var(--grid); }
.score:first-child { border-top: 0; }
.score dt { color: var(--muted); }
.score dd { margin: 0; font-variant-numeric: tabular-nums; font-size: 0.92rem; }
.track { position: relative; height: 30px; background: linear-gradient(var(--grid), var(--grid)) center / 100% 1px no-repeat; }
.track .bar, .track .dot { position: absolute; }
.track .bar { height: 3px; border-radius: 2px; }
.track .dot { width: 11px; height: 11px; margin-left: -5.5px; border-radius: 50%; }
.bar.before { top: 8px; background: var(--series-0); } .dot.before { top: 4px; background: var(--series-0); }
.bar.after { top: 20px; background: var(--series-1); } .dot.after { top: 16px; background: var(--series-1); border-radius: 2px; }
.key { display: inline-block; width: 10px; height: 10px; }
.key.before { background: var(--series-0); border-radius: 50%; } .key.after { background: var(--series-1); border-radius: 2px; }
.damaged { margin-top: 20px; }
.damaged h3 { font-size: 0.95rem; font-weight: 600; margin: 0 0 6px; }
.damaged .text { white-space: pre-wrap; margin: 0 0 10px; max-width: 90ch; line-height: 1.7; }
.context { color: var(--muted); }
mark { color: inherit; border-radius: 3px; }
mark.level-0 { background: color-mix(in srgb, var(--series-1) 48%, transparent); }
mark.level-1 { background: color-mix(in srgb, var(--series-1) 30%, transparent); }
mark.level-2 { background: color-mix(in srgb, var(--series-1) 15%, transparent); }
mark sup { font-size: 0.7em; font-weight: 700; line-height: 0; }
.score.one { grid-template-columns: 12em 12em 1fr; padding: 1px 0; border-top: 0; }
.score.one .track { height: 18px; }
.score.one .bar { top: 8px; } .score.one .dot { top: 4px; }
#scores h3, .multiples h3 { font-size: 0.95rem; margin: 16px 0 2px; }
.multiples { display: grid; grid-template-columns: repeat(auto-fill, minmax(290px, 1fr)); gap: 12px 20px; }
.multiples svg { width: 100%; height: auto; }
.panels { gap: 14px 20px; }
.panels.columns-2 { display: grid; grid-template-columns: 1fr 1fr; }
.panels.columns-3 { display: grid; grid-template-columns: 1fr 1fr 1fr; }
.panels h3 { font-size: 0.95rem; margin: 8px 0 2px; }
details { border-top: 1px solid var(--grid); padding: 8px 0; }
summary { cursor: pointer; font-weight: 600; }
@media (max-width: 760px) {
  .score.one { grid-template-columns: 1fr 1fr; padding: 4px 0; }
  .score.one .track { grid-column: 1 / -1; }
  .score { grid-template-columns: 1fr; gap: 0; }
  main { padding: 18px 0 32px; }
  header { padding: 0 14px; }
  header h1 { font-size: 1.35rem; }
  section { border-radius: 0; border-width: 1px 0; padding: 16px 14px; margin-top: 12px; }
  .wide, .panels.wide { display: none; }
  .narrow { display: block; }
  .heat-rows { max-width: 128px; }
  .heat-rows li { font-size: 0.72rem; }
  .settings div, .facts div { grid-template-columns: 1fr; gap: 0; }
}
@media print {
  section { break-inside: avoid; }
}
`;
