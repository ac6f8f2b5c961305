"""The page itself: one file, no network, no JavaScript; dark, light and print by the style sheet."""

from __future__ import annotations

from bayesynth._html import Markup, escape

# Colours are told apart with every common colour vision, and have a contrast of at least 4.5 on their ground.
# A sheet holds a picture with colours of its own: in the dark its lightness is turned over and its hues are kept.
STYLE = """
:root{color-scheme:light dark;--ground:#fff;--raised:#f6f7f8;--ink:#1b1d20;--quiet:#5a6068;--line:#d5d9de;
--accent:#00629b;--within:#00684a;--worse:#a63a00;--unknown:#5a6068;--tolerated:#e2e8ee;--real:#6b6b6b;
--real-fill:#d9d9d9;--synthetic:#0072b2;--synthetic-fill:#bfdbec;--blank:#4a4a4a;--seen:#f1f1f1;--paper:#fff;
--rim:#d5d9de;--turned:none}
@media (prefers-color-scheme:dark){:root{--ground:#15171a;--raised:#1d2024;--ink:#e6e8eb;--quiet:#a5acb5;
--line:#3a3f46;--accent:#6cb6e8;--within:#58c9a0;--worse:#ff9d5c;--unknown:#b4bac2;--tolerated:#2c333b;--real:#b0b4ba;
--real-fill:#44484e;--synthetic:#6cb6e8;--synthetic-fill:#234b66;--blank:#b9bfc6;--seen:#2a2e33;
--paper:#dfdfdf;--rim:#b9b9b9;--turned:invert(1) hue-rotate(180deg)}}
*{box-sizing:border-box}
html{scroll-behavior:smooth}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif}
main,header,nav{max-width:1120px;margin:0 auto;padding:0 20px}
header{padding-top:22px}
h1{font-size:1.55rem;line-height:1.25;margin:0 0 2px}
h2{font-size:1.3rem;margin:2.2em 0 .5em;padding-top:.5em;border-top:1px solid var(--line)}
h3{font-size:1.05rem;margin:1.4em 0 .3em}
p,ul{margin:.4em 0}
ul{padding-left:1.2em}
a{color:var(--accent)}
.subtitle,.note,.small,.legend{color:var(--quiet)}
.note,.small,.legend{font-size:.875rem}
nav{display:flex;flex-wrap:wrap;gap:2px 14px;font-size:.875rem;margin-top:8px}
.cards{display:grid;grid-template-columns:1fr 1fr;gap:12px;margin-top:14px}
.card{background:var(--raised);border:1px solid var(--line);border-radius:8px;padding:12px 16px;min-width:0}
.card h2{font-size:1rem;border:0;margin:0 0 4px;padding:0}
.card p,.card li{font-size:.9375rem}
.wide{grid-column:1/-1;border-left:4px solid var(--worse)}
.counts{display:flex;flex-wrap:wrap;gap:6px 14px}
.count{white-space:nowrap;font-weight:600}
.pill{display:inline-block;border:1px solid currentColor;border-radius:99px;padding:0 .6em;font-size:.8125rem;
font-weight:600;white-space:nowrap;line-height:1.55}
.within{color:var(--within)}.worse{color:var(--worse)}.unknown,.skipped{color:var(--unknown)}
.state{font-weight:600;white-space:nowrap}
.state.done{color:var(--within)}.state.partly{color:var(--unknown)}.state.not-done{color:var(--worse)}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:5px 14px 5px 0;border-bottom:1px solid var(--line)}
th{color:var(--quiet);font-weight:600;vertical-align:bottom}
.number{text-align:right;white-space:nowrap}
.glance{width:100%}.glance td{vertical-align:middle}
.glance td:nth-child(2),.glance td:nth-child(3){white-space:nowrap}
.reasons td:nth-child(1){max-width:13em}.reasons td:nth-child(2){white-space:nowrap}
.reasons td:nth-child(3){min-width:15em}
.checklist td:nth-child(2){min-width:13em}.rules td:nth-child(3){white-space:nowrap}
details{margin:.6em 0}
summary{cursor:pointer;color:var(--accent);font-size:.9375rem}
pre{background:var(--raised);border:1px solid var(--line);border-radius:6px;padding:10px 12px;overflow-x:auto;
font-size:.8125rem;white-space:pre-wrap;overflow-wrap:anywhere}
code{font-size:.875em;overflow-wrap:anywhere}
blockquote{margin:.8em 0;padding:.4em 16px;border-left:4px solid var(--worse);background:var(--raised)}
.figure{margin:1em 0 1.6em}
.figure>.strip{margin:.2em 0}
.strip{display:block;width:220px;max-width:100%}
.strip .tolerated{fill:var(--tolerated)}.strip .axis{stroke:var(--line)}
.strip .floor,.bars .floor{stroke:var(--ink);stroke-width:1.5}
.strip .interval{stroke:currentColor;stroke-width:2.5}.strip .dot{fill:currentColor}
.bars{width:140px;display:block}.bars .bar{fill:var(--synthetic)}
.pairs .empty{fill:none;stroke:var(--line)}.pairs .surely{fill:var(--worse)}.pairs .perhaps{fill:var(--unknown)}
.pairs text{font-size:11px}
.methods{max-width:52em}
figure{margin:.8em 0}
figcaption{font-size:.8125rem;color:var(--quiet);min-height:2.4em}
figcaption b{color:var(--ink)}
figure svg{display:block;width:100%;height:auto}
figure svg *{stroke-linejoin:round}figure svg text{fill:var(--ink)}.sheet svg text{fill:#1b1d20}
.portraits{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:6px 18px}
.portraits figure{margin:0}
.sheet{background:var(--paper);color:#1b1d20;border:1px solid var(--rim);border-radius:8px;padding:10px;overflow-x:auto;
filter:var(--turned)}
.sheet svg{min-width:900px}
.wide-picture{overflow-x:auto;max-width:800px}.wide-picture svg{min-width:560px}
.swatch{display:inline-block;width:1.1em;height:.75em;border:1px solid}
.swatch.real{background:var(--real-fill);border-color:var(--real)}
.swatch.synthetic{background:var(--synthetic-fill);border-color:var(--synthetic);margin-left:1.2em}
footer{color:var(--quiet);font-size:.8125rem;border-top:1px solid var(--line);margin-top:2.5em;padding:12px 0 40px}
@media (max-width:720px){
main,header,nav{padding:0 14px}header{padding-top:16px}
.cards{grid-template-columns:1fr}
.stacked thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.stacked,.stacked tbody,.stacked tr,.stacked td{display:block;width:100%}
.stacked tr{padding:8px 0;border-bottom:1px solid var(--line)}
.stacked td{border:0;padding:1px 0;text-align:left;max-width:none!important;min-width:0!important}
.stacked td[data-label]:not([data-label=""]):not(:first-child)::before{content:attr(data-label) " ";
color:var(--quiet);font-size:.8125rem}
.checklist td:first-child,.checklist td:nth-child(2){display:inline!important;font-weight:600}
.checklist td:first-child::after{content:". "}.stacked.checklist td:nth-child(2)::before{content:none!important}
.data td{white-space:nowrap}
.portraits{grid-template-columns:repeat(auto-fill,minmax(150px,1fr))}
}
@media print{
:root{color-scheme:light;--ground:#fff;--raised:#fff;--ink:#000;--quiet:#444;--line:#bbb;--accent:#000;--within:#00684a;
--worse:#a63a00;--unknown:#444;--tolerated:#e2e8ee;--real:#6b6b6b;--real-fill:#d9d9d9;--synthetic:#0072b2;
--synthetic-fill:#bfdbec;--blank:#4a4a4a;--seen:#f1f1f1;--paper:#fff;--rim:#d5d9de;--turned:none}
@page{size:A4;margin:15mm}
body{font-size:9.5pt}
h1{font-size:15pt}h2{font-size:12.5pt;margin-top:1.4em}h3{font-size:10.5pt}
table,.note,.small,.legend,figcaption,pre{font-size:8pt!important}
.card p,.card li{font-size:9pt}.pill{font-size:7.5pt}
th,td{padding:3px 8px 3px 0}
.glance td{white-space:nowrap;padding-right:5px}.glance{width:100%;font-size:7pt!important}.strip{width:100px}
.glance td:first-child{white-space:normal}.glance th{padding-right:5px}.glance td:last-child{padding-right:0}
.glance .small{font-size:6.5pt!important}.glance .pill{font-size:6.5pt;padding:0 .4em}
.reasons,.checklist{width:100%}.reasons td:nth-child(3){min-width:12em}.reasons td:last-child{min-width:14em}
.portraits{grid-template-columns:repeat(5,1fr);gap:2px 10px}
nav,details:not([open]){display:none}
h2,h3{break-after:avoid}
tr,.card,.portraits figure,blockquote{break-inside:avoid}
.scroll,.sheet{overflow:visible}
.sheet{padding:0;border:0}.sheet svg,.wide-picture svg{min-width:0}
.wide-picture{overflow:visible}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""


def page(title: str, body: Markup) -> str:
    """Write a whole page.

    Parameters
    ----------
    title : str
        Of the window.
    body : Markup
        What it shows.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
