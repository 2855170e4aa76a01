"""How people come in besides the form at the door: links that are mailed or handed over, and changed passwords."""

from fastapi import Request
from sqlalchemy.orm import Session

from services.gateway.actions import invitation, notice
from services.gateway.actions.password import change_password
from services.gateway.actions.sign_in import SignedIn
from services.gateway.authority import ACTS
from services.gateway.model.invitation import INVITE
from services.gateway.settings import Settings
from shared.database import utc_now
from shared.errors import NotAllowed
from shared.identity import Person


def must_keep(by: Person) -> None:
    """Refuse (NotAllowed) whoever may not see the directory of people."""
    reason = ACTS.see_people.refusal(by, None)
    if reason:
        raise NotAllowed(reason)


def link_of(request: Request, made: invitation.Made) -> str:
    """Return the address of a link that was just made."""
    settings: Settings = request.app.state.settings
    return f"{settings.public_url.rstrip('/')}/undangan/{made.token}"


def send(request: Request, session: Session, made: invitation.Made) -> bool:
    """Have a link mailed to the address that it is bound to; return False where no mail leaves."""
    settings: Settings = request.app.state.settings
    if "mail" not in settings.open_channels:
        return False
    one, site = made.invitation, settings.site_name
    subject = f"Undangan ke {site}" if one.purpose == INVITE else f"Kata sandi baru untuk {site}"
    lines = [
        f"Yth. {one.display_name},",
        f"Anda diundang memakai {site} {settings.site_owner} dengan nama pengguna {one.username}."
        if one.purpose == INVITE
        else f"Untuk akun {one.username} dibuatkan tautan kata sandi baru.",
        "Buka tautan ini dalam 24 jam; tautan hanya dapat dipakai sekali:",
        link_of(request, made),
        "Bila Anda tidak mengharapkan surel ini, abaikan dan beri tahu admin sistem.",
    ]
    notice.mail_to(session, request.app.state.keys, one.address, subject=subject, lines=lines, now=one.created_at)
    return True


def changed(request: Request, username: str, old_password: str, password: str, *, token: str) -> SignedIn | None:
    """Change a password by the rules of this site; `token` is of the session in which it is done. Raises as the act."""
    signed_in = change_password(
        request.app.state.database,
        username=username,
        old_password=old_password[:500],
        password=password[:500],
        address=request.state.address,
        now=utc_now(),
        profile=request.app.state.settings.password_rules,
        token=token,
    )
    request.app.state.memory.forget()
    return signed_in
