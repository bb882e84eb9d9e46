/** The look of the report, in light and in dark. */

export const STYLE = `
:root { color-scheme: light dark; --ground: #f6f5f1; --card: #fff; --ink: #1d2427; --soft: #667075; --line: #dedcd4;
  --good: #1c7a5a; --bad: #c1392f; --part: #b7791f; --none: #8a9296; --wash: 28 122 90; }
@media (prefers-color-scheme: dark) { :root { --ground: #14191b; --card: #1c2326; --ink: #e7eaea; --soft: #98a4a8; --line: #30393d;
  --good: #4fc296; --bad: #f0776c; --part: #e2b04a; --none: #78858a; --wash: 79 194 150; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 80px; }
header { border-left: 8px solid var(--none); background: var(--card); padding: 24px 28px; border-radius: 4px 12px 12px 4px; }
header.conformant { border-color: var(--good); } header.not-conformant { border-color: var(--bad); } header.incomplete { border-color: var(--part); }
.verdict { margin: 0; text-transform: uppercase; letter-spacing: .12em; font-size: 13px; font-weight: 700; color: var(--none); }
.conformant .verdict { color: var(--good); } .not-conformant .verdict { color: var(--bad); } .incomplete .verdict { color: var(--part); }
h1 { margin: 4px 0 8px; font-size: 34px; line-height: 1.15; overflow-wrap: anywhere; }
h2 { margin: 48px 0 14px; font-size: 20px; } h3 { margin: 0; font-size: 17px; } h4 { margin: 18px 0 6px; font-size: 14px; color: var(--soft); }
small { color: var(--soft); font-weight: 400; }
.summary { margin: 0 0 12px; font-size: 17px; }
.problem { background: color-mix(in srgb, var(--bad) 12%, transparent); padding: 10px 14px; border-radius: 8px; }
dl { display: flex; flex-wrap: wrap; gap: 6px 26px; margin: 12px 0 0; } dt { font-size: 12px; color: var(--soft); } dd { margin: 0; font-size: 14px; }
.levels { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 14px; }
.level { background: var(--card); border-radius: 12px; padding: 16px 18px; border: 1px solid var(--line); --tone: var(--none); }
.level.passed { --tone: var(--good); } .level.failed { --tone: var(--bad); } .level.incomplete { --tone: var(--part); }
.status { margin: 2px 0 10px; font-weight: 600; color: var(--tone); } .count { margin: 6px 0 0; font-size: 13px; color: var(--soft); }
.bar { height: 8px; border-radius: 4px; background: var(--line); overflow: hidden; } .bar i { display: block; height: 100%; background: var(--tone); }
.level ul { margin: 8px 0 0; padding-left: 16px; font-size: 13px; color: var(--soft); }
.failure { background: var(--card); border: 1px solid var(--line); border-top: 4px solid var(--bad); border-radius: 8px; padding: 18px 22px; margin: 0 0 18px; }
.failure .title { margin: 2px 0 10px; color: var(--soft); } .message { font-size: 17px; font-weight: 600; overflow-wrap: anywhere; } .culprit { color: var(--bad); margin: 0; }
.program { font: 14px/1.7 ui-monospace, monospace; background: var(--ground); border-radius: 8px; padding: 10px 14px 10px 48px; margin: 0; overflow-x: auto; }
pre { font: 13px/1.55 ui-monospace, monospace; background: var(--ground); border-radius: 8px; padding: 12px 14px; margin: 0; overflow-x: auto; }
details { margin-top: 10px; } summary { cursor: pointer; color: var(--soft); margin-bottom: 6px; }
table { border-collapse: collapse; width: 100%; background: var(--card); border-radius: 12px; overflow: hidden; font-size: 14px; }
th, td { text-align: left; padding: 8px 12px; border-top: 1px solid var(--line); vertical-align: top; font-weight: 400; }
thead th { font-size: 12px; color: var(--soft); border: 0; } .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.laws em { color: var(--soft); } .mark { width: 30px; } .mark::before { content: "–"; color: var(--none); font-weight: 700; }
.passed .mark::before { content: "✓"; color: var(--good); } .failed .mark::before, .stale .mark::before { content: "✕"; color: var(--bad); } .expected .mark::before { content: "!"; color: var(--part); }
.time { position: relative; min-width: 90px; } .time i { position: absolute; right: 0; top: 4px; bottom: 4px; background: rgb(var(--wash) / .18); border-radius: 3px 0 0 3px; } .time span { position: relative; }
.coverage { display: grid; grid-template-columns: minmax(260px, 1fr) 2fr; gap: 18px; align-items: start; } .commands th, .commands td { padding: 3px 10px; font-size: 13px; }
.scroll { overflow-x: auto; } .matrix { width: auto; background: none; border-radius: 0; } .matrix caption { text-align: left; font-size: 13px; color: var(--soft); padding-bottom: 6px; }
.matrix th { border: 0; padding: 0 8px 0 0; font-size: 11px; white-space: nowrap; text-align: right; color: var(--soft); max-width: 190px; overflow: hidden; text-overflow: ellipsis; }
.matrix td { width: 18px; min-width: 18px; height: 18px; padding: 0; border: 1px solid var(--ground); background: rgb(var(--wash) / var(--shade)); outline: 1px solid var(--line); outline-offset: -1px; }
@media (max-width: 760px) { .coverage { grid-template-columns: 1fr; } h1 { font-size: 26px; } }
`;
