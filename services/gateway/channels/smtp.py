"""Mail through an SMTP server: STARTTLS or TLS from the start, with a login where the server wants one."""

import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr

from services.gateway.actions.delivery import Outgoing, Undelivered
from services.gateway.channels.letter import Letters
from services.gateway.settings import Settings

TIMEOUT = 20.0
GONE_WRONG = (OSError, smtplib.SMTPServerDisconnected)


class Smtp:
    """Hands mails to one SMTP server."""

    def __init__(self, settings: Settings, letters: Letters) -> None:
        self._settings = settings
        self._letters = letters

    def send(self, message: Outgoing) -> str:
        """Hand a mail over; return the server's code. Raises Undelivered: for good when it says 5xx."""
        mail = self.mail(message)
        try:
            with self._connected() as server:
                self._enter(server)
                try:
                    server.send_message(mail)
                except smtplib.SMTPRecipientsRefused as reason:
                    codes = [code for code, _ in reason.recipients.values()]
                    raise _refused(codes[0] if codes else 0) from None
                except smtplib.SMTPResponseException as reason:
                    raise _refused(reason.smtp_code) from None
        except Undelivered:
            raise
        except smtplib.SMTPAuthenticationError as reason:
            # The operator's mistake, not the address's: it is worth another try after they have put it right.
            raise Undelivered(f"smtp_login_{reason.smtp_code}", is_final=False) from None
        except ssl.SSLError:
            raise Undelivered("smtp_tls", is_final=False) from None
        except smtplib.SMTPResponseException as reason:
            raise Undelivered(f"smtp_{reason.smtp_code}", is_final=False) from None
        except smtplib.SMTPNotSupportedError:
            raise Undelivered("smtp_not_supported", is_final=False) from None
        except GONE_WRONG as reason:
            raise Undelivered(f"smtp_{type(reason).__name__}", is_final=False) from None
        return "smtp_250"

    def mail(self, message: Outgoing) -> EmailMessage:
        """Return the mail: text first, the same as HTML beneath; its Message-ID is the same at each try."""
        mail = EmailMessage(policy=SMTP_POLICY)
        sender = self._settings.smtp_from
        host = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
        mail["From"] = sender
        mail["To"] = message.address
        mail["Subject"] = self._letters.subject(message)
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["Message-ID"] = f"<{message.id}@{host}>"
        # So that no holiday notice and no robot answers (RFC 3834).
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(self._letters.text(message))
        mail.add_alternative(self._letters.html(message), subtype="html")
        return mail

    def _connected(self) -> smtplib.SMTP:
        host, port = self._settings.smtp_host, self._settings.smtp_port
        if self._settings.smtp_security == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=self._trust())
        return smtplib.SMTP(host, port, timeout=TIMEOUT)

    def _enter(self, server: smtplib.SMTP) -> None:
        if self._settings.smtp_security == "starttls":
            server.starttls(context=self._trust())
        if self._settings.smtp_username:
            server.login(self._settings.smtp_username, self._settings.smtp_password.get_secret_value())

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._settings.smtp_ca_file or None)


def _refused(code: int) -> Undelivered:
    return Undelivered(f"smtp_{code}", is_final=500 <= code < 600)
