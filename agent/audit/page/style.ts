/** Light, dark and paper; every text has a contrast of at least 7 to 1 on its ground. */
export const STYLE = `
:root{color-scheme:light dark;--ground:#fff;--ink:#1c1c1e;--quiet:#4d4d52;--line:#c9c9ce;--soft:#f4f4f6;--good:#0b5a2b;--good-soft:#e6f4ea;--bad:#8f1010;--bad-soft:#fdeaea;--accent:#174a86;--accent-soft:#e8f0fa}
@media (prefers-color-scheme:dark){:root{--ground:#17181b;--ink:#ececee;--quiet:#b6b6bd;--line:#45464d;--soft:#212227;--good:#8fe0ad;--good-soft:#16301f;--bad:#ffb1ab;--bad-soft:#3b1a1a;--accent:#a5cbf7;--accent-soft:#1b2a3c}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:66rem;padding:2rem 1.25rem 4rem;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}
h1{font-size:1.5rem;margin:0 0 .5rem}h2{font-size:1.1rem;margin:2.25rem 0 .5rem}p{margin:.35rem 0;max-width:46rem;overflow-wrap:anywhere}
.verdict{border-left:.4rem solid;padding:1rem 1.25rem;border-radius:.25rem}
.verdict.confirmed{border-color:var(--good);background:var(--good-soft)}.verdict.broken,.verdict.unreadable{border-color:var(--bad);background:var(--bad-soft)}
.confirmed h1,.permit{color:var(--good)}.broken h1,.unreadable h1,.deny{color:var(--bad)}
.quiet{color:var(--quiet)}.why{font-size:.8rem;min-width:12rem}code{font:.85em ui-monospace,Menlo,'DejaVu Sans Mono',monospace;overflow-wrap:anywhere}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.875rem}
th,td{text-align:left;vertical-align:top;padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--line);overflow-wrap:break-word}th{font-weight:600;white-space:nowrap}.time{white-space:nowrap}td code{font-size:.75rem}.number{text-align:right;font-variant-numeric:tabular-nums}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.75rem 0}dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}
figure{margin:.5rem 0;overflow-x:auto}figcaption{color:var(--quiet);font-size:.85rem}svg{display:block;width:100%;min-width:44rem;height:auto;font-family:inherit}
svg text{fill:var(--ink);font-size:14px}svg .name{font-weight:600}svg .small{font-size:12px}svg text.quiet{fill:var(--quiet)}
svg .label{text-anchor:middle;paint-order:stroke;stroke:var(--ground);stroke-width:5px;stroke-linejoin:round}
.ground{fill:var(--ground)}
.party rect{fill:var(--accent-soft);stroke:var(--accent);stroke-width:1.5}.party.missing rect{fill:var(--ground);stroke:var(--quiet);stroke-dasharray:6 4}
.flow{fill:none;stroke:var(--accent);stroke-width:1.75}.flow.missing{stroke:var(--quiet);stroke-dasharray:6 4}.tip{fill:var(--accent)}
li{max-width:46rem;overflow-wrap:anywhere}ul{padding-left:1.2rem}
@media print{:root{color-scheme:light;--ground:#fff;--ink:#000;--quiet:#333;--line:#aaa;--soft:#fff;--good:#0b5a2b;--good-soft:#fff;--bad:#8f1010;--bad-soft:#fff;--accent:#174a86;--accent-soft:#fff}body{max-width:none;padding:0;font-size:11pt}figure,tr,.verdict{break-inside:avoid}h2{break-after:avoid}thead{display:table-header-group}svg{min-width:0}.wide,figure{overflow:visible}}
`
