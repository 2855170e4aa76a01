"""WhatsApp through a gateway that takes JSON over HTTP; which fields it wants is a setting."""

from services.gateway.actions.delivery import Outgoing, Undelivered
from services.gateway.channels.knocking import post
from services.gateway.channels.letter import Letters
from services.gateway.settings import Settings


class WhatsApp:
    """Hands messages to one WhatsApp gateway."""

    def __init__(self, settings: Settings, letters: Letters) -> None:
        self._settings = settings
        self._letters = letters

    def send(self, message: Outgoing) -> str:
        """Hand a message over; return the result code, or raise Undelivered."""
        given = {"address": message.address.lstrip("+"), "text": self._letters.short_text(message)}
        # Replaced, not formatted: a title with braces must not be read as a field.
        body = {name: _filled(shape, given) for name, shape in self._settings.whatsapp_fields.items()}
        token = self._settings.whatsapp_token.get_secret_value()
        headers = {"idempotency-key": str(message.id)} | ({"authorization": token} if token else {})
        code, answer = post(self._settings.whatsapp_url, body, headers=headers)
        # Some gateways say 200 and "no" in one answer.
        if isinstance(answer, dict) and (answer.get("status") is False or answer.get("success") is False):
            raise Undelivered("gateway_said_no", is_final=False)
        return code


def _filled(shape: str, given: dict[str, str]) -> str:
    return given[shape[1:-1]] if shape in ("{address}", "{text}") else shape
