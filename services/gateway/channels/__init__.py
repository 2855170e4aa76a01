"""The ways out of the house: mail, a WhatsApp gateway, Telegram."""

from services.gateway.actions.delivery import Sender
from services.gateway.channels.letter import Letters
from services.gateway.channels.smtp import Smtp
from services.gateway.channels.telegram import Telegram
from services.gateway.channels.whatsapp import WhatsApp
from services.gateway.model.notice import MAIL, TELEGRAM, WHATSAPP
from services.gateway.settings import Settings


def senders(settings: Settings) -> dict[str, Sender]:
    """Return a sender for each way out that the settings open."""
    letters = Letters(settings.public_url, settings.site_name, settings.site_owner)
    found: dict[str, Sender] = {}
    if MAIL in settings.open_channels:
        found[MAIL] = Smtp(settings, letters)
    if WHATSAPP in settings.open_channels:
        found[WHATSAPP] = WhatsApp(settings, letters)
    if TELEGRAM in settings.open_channels:
        found[TELEGRAM] = Telegram(settings, letters)
    return found
