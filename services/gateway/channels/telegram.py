"""Telegram through its Bot API."""

from services.gateway.actions.delivery import Outgoing
from services.gateway.channels.knocking import post
from services.gateway.channels.letter import Letters
from services.gateway.settings import Settings


class Telegram:
    """Hands messages to one bot."""

    def __init__(self, settings: Settings, letters: Letters) -> None:
        self._settings = settings
        self._letters = letters

    def send(self, message: Outgoing) -> str:
        """Hand a message over; return the result code, or raise Undelivered."""
        base = self._settings.telegram_url.rstrip("/")
        url = f"{base}/bot{self._settings.telegram_token.get_secret_value()}/sendMessage"
        body = {
            "chat_id": message.address,
            "text": self._letters.short_text(message),
            # Telegram would fetch the page behind each link.
            "link_preview_options": {"is_disabled": True},
        }
        code, _ = post(url, body, headers={"idempotency-key": str(message.id)})
        return code
