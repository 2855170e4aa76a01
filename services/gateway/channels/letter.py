"""A message in words: the same text for every way out, and a plain page for mail."""

from pathlib import Path

import jinja2

from services.gateway.actions.delivery import Outgoing
from shared import words

TEMPLATES = Path(__file__).parents[1] / "templates"
LONGEST_TEXT = 4000
"""Telegram takes 4096 signs; what is longer says where to read on."""


class Letters:
    """Writes messages as text and as HTML."""

    def __init__(self, public_url: str, site_name: str, site_owner: str) -> None:
        self.public_url = public_url.rstrip("/")
        self.site_name = site_name
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(str(TEMPLATES)),
            autoescape=jinja2.select_autoescape(["html"], default=False),
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
        )
        self._environment.filters.update(moment=words.long_moment)
        self._environment.globals.update(public_url=self.public_url, site_name=site_name, site_owner=site_owner)

    def subject(self, message: Outgoing) -> str:
        """Return the subject on one line."""
        return " ".join(f"{self.site_name}: {message.subject}".split())[:200]

    def text(self, message: Outgoing) -> str:
        """Return the message as text."""
        return self._environment.get_template("notices_letter.txt").render(message=message).strip() + "\n"

    def short_text(self, message: Outgoing) -> str:
        """Return the message as text for a messenger, with its subject above and never too long."""
        text = f"{self.subject(message)}\n\n{self.text(message)}"
        if len(text) > LONGEST_TEXT:
            text = f"{text[:LONGEST_TEXT]}…\n\n{self.public_url}/pemberitahuan\n"
        return text

    def html(self, message: Outgoing) -> str:
        """Return the message as a page without style, picture or script."""
        return self._environment.get_template("notices_letter.html").render(message=message, subject=message.subject)
