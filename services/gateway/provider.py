"""Campus accounts by OpenID Connect: the addresses and keys of a provider, the way there, and what it vouches for.

Authorization code with PKCE, state and nonce. No redirect is followed, answers are small and quick or refused, and
what a provider says of itself has to agree with the settings sign by sign. Rules: OpenID Connect Core 1.0 §3.1.3.7,
RFC 9207 (who answered) and RFC 9700 (best current practice).
"""

import base64
import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from services.gateway.settings import IdentityProvider
from shared.errors import NotFound, NotSignedIn, Unavailable
from shared.log import logger
from shared.sentence import Sentence

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

ALGORITHMS = ("RS256", "ES256", "Ed25519", "EdDSA")
"""Never "none", and never one whose key both sides share: our client secret is no proof of who signed."""
KEY_KINDS = ("RSA", "EC", "OKP")
PATIENCE = httpx.Timeout(5.0, connect=3.0)
LARGEST = 256 * 1024
KNOWN_FOR = 3600.0
"""Seconds for which addresses and keys are believed."""
KEYS_ASKED_EVERY = 30.0
"""Seconds between two looks for a key that is not known: a forged token must not make us ask without end."""
LEEWAY = 60
"""Seconds by which two clocks may differ."""
LONGEST_SUBJECT, LONGEST_SHOWN = 255, 254


class NotVouched(NotSignedIn):
    """The provider's answer proves nothing; the log says why, the person is asked to begin anew."""

    code = "provider_not_vouched"
    title = "Belum berhasil masuk dengan akun kampus"

    def __init__(self, reason: str) -> None:
        super().__init__(
            "Jawaban dari penyedia akun kampus tidak dapat dipastikan keasliannya, jadi tidak kami pakai. Mohon ulangi "
            "dari halaman masuk; bila terjadi lagi, masuklah dengan kata sandi dan beri tahu admin sistem."
        )
        self.reason = reason


@dataclass(frozen=True)
class Proven:
    """A campus account that its provider vouches for."""

    issuer: str
    subject: str
    shown_as: str
    email: str | None
    """Only when the provider says that it has checked the address."""
    proved_at: datetime | None
    """When the person last proved there who they are; None when the provider does not say.

    A provider that remembers its visitors vouches for them unasked: that they came back says nothing of the moment.
    """


@dataclass(frozen=True)
class _Known:
    """What a provider says of itself."""

    authorization: str
    token: str
    keys: str
    sends_issuer: bool
    takes_basic: bool
    at: float


class Provider:
    """One provider of campus accounts."""

    def __init__(self, settings: IdentityProvider, *, public_url: str) -> None:
        self.settings = settings
        self.name, self.label = settings.name, settings.label
        self.return_url = f"{public_url.rstrip('/')}/masuk/akun-kampus/{settings.name}/kembali"
        self._known: _Known | None = None
        self._keys: KeySet | None = None
        self._keys_at = -KNOWN_FOR

    def way_there(self, *, state: str, nonce: str, verifier: str, within: timedelta | None = None) -> str:
        """Return the address at the provider where the person proves who they are; raise Unavailable.

        `within` asks for a proof no older than that, also from somebody whom the provider remembers (OpenID Connect
        Core 1.0 §3.1.2.1, max_age).
        """
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.return_url,
            "scope": self.settings.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if within is not None:
            asked["max_age"] = str(int(within.total_seconds()))
        address = self._about().authorization
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked, quote_via=quote)}"

    def prove(self, *, code: str, issuer: str, nonce: str, verifier: str) -> Proven:
        """Return whom the code of a return stands for; `issuer` is what the return says about itself (RFC 9207).

        Raises NotVouched for an answer of somebody else, a code that is not taken and a token that proves nothing,
        and Unavailable when the provider is silent.
        """
        about = self._about()
        if issuer != self.settings.issuer and (issuer or about.sends_issuer):
            raise NotVouched("the return names another issuer")
        answer = self._exchange(about, code=code, verifier=verifier)
        return self._read(str(answer.get("id_token", "")), nonce=nonce)

    # What it says of itself -----------------------------------------------------------------------------

    def _about(self) -> _Known:
        if self._known is None or time.monotonic() - self._known.at > KNOWN_FOR:
            self._known = self._discover()
        return self._known

    def _discover(self) -> _Known:
        told = self._get(f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
        if told.get("issuer") != self.settings.issuer:
            raise self._silent("it calls itself by another issuer")
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        authorization, token, keys = addresses = [str(told.get(name, "")) for name in names]
        scheme = urlsplit(self.settings.issuer).scheme
        if not all(urlsplit(one).scheme in ("https", scheme) and urlsplit(one).netloc for one in addresses):
            raise self._silent("one of its addresses is not safe")
        methods = told.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return _Known(
            authorization=authorization,
            token=token,
            keys=keys,
            sends_issuer=told.get("authorization_response_iss_parameter_supported") is True,
            takes_basic="client_secret_basic" in methods,
            at=time.monotonic(),
        )

    def _key_set(self, *, anew: bool) -> "KeySet":
        from joserfc.errors import JoseError  # here: a start does not wait for what only campus accounts need
        from joserfc.jwk import KeySet

        age = time.monotonic() - self._keys_at
        if self._keys is None or age > KNOWN_FOR or (anew and age > KEYS_ASKED_EVERY):
            told = self._get(self._about().keys).get("keys")
            usable = [
                key
                for key in (told if isinstance(told, list) else [])
                if isinstance(key, dict) and key.get("kty") in KEY_KINDS and key.get("use", "sig") == "sig"
            ]
            try:
                self._keys = KeySet.import_key_set({"keys": usable})
            except (JoseError, ValueError, TypeError, KeyError) as reason:
                raise self._silent("its keys cannot be read") from reason
            self._keys_at = time.monotonic()
        return self._keys

    # Talking to it --------------------------------------------------------------------------------------

    def _exchange(self, about: _Known, *, code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.return_url,
            "code_verifier": verifier,
            "client_id": self.settings.client_id,
        }
        secret = self.settings.client_secret.get_secret_value()
        headers = {}
        if secret and about.takes_basic:
            pair = f"{quote(self.settings.client_id, safe='')}:{quote(secret, safe='')}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        elif secret:
            form["client_secret"] = secret
        status, answer = self._ask("POST", about.token, data=form, headers=headers)
        if status >= 500:
            raise self._silent(f"it answered {status}")
        if status != 200:
            raise NotVouched(f"the code was not taken: {str(answer.get('error', status))[:40]}")
        return answer

    def _get(self, address: str) -> dict[str, Any]:
        status, answer = self._ask("GET", address)
        if status != 200:
            raise self._silent(f"it answered {status}")
        return answer

    def _ask(self, method: str, address: str, **given: Any) -> tuple[int, dict[str, Any]]:
        body = bytearray()
        try:
            with (
                httpx.Client(timeout=PATIENCE, follow_redirects=False) as client,
                client.stream(method, address, **given) as response,
            ):
                for piece in response.iter_bytes():
                    body += piece
                    if len(body) > LARGEST:
                        raise self._silent("its answer is too large")
            answer = httpx.Response(response.status_code, content=bytes(body)).json() if body else {}
        except (httpx.HTTPError, httpx.InvalidURL) as reason:
            raise self._silent(type(reason).__name__) from reason
        except ValueError:
            answer = {}
        return response.status_code, answer if isinstance(answer, dict) else {}

    def _silent(self, reason: str) -> Unavailable:
        logger().warning("identity_provider_silent", provider=self.name, reason=reason)
        return Unavailable(
            Sentence(
                "Penyedia {label} sedang tidak dapat dipakai. Masuklah dengan kata sandi, atau ulangi beberapa "
                "saat lagi.",
                label=self.label,
            ),
            code="provider_silent",
        )

    # What it vouches for --------------------------------------------------------------------------------

    def _read(self, text: str, *, nonce: str) -> Proven:
        from joserfc import jwt
        from joserfc.errors import JoseError

        try:
            try:
                claims = jwt.decode(text, self._key_set(anew=False), algorithms=ALGORITHMS).claims
            except (JoseError, ValueError):
                # It may have new keys; a token that is wrong stays wrong.
                claims = jwt.decode(text, self._key_set(anew=True), algorithms=ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                leeway=LEEWAY,
                iss={"essential": True, "value": self.settings.issuer},
                sub={"essential": True},
                aud={"essential": True, "value": self.settings.client_id},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(claims)
        except (JoseError, ValueError, TypeError) as reason:
            raise NotVouched(f"{type(reason).__name__}: {str(reason)[:100]}") from reason
        audience, party = claims["aud"], claims.get("azp")
        if (isinstance(audience, list) and len(audience) > 1 and party is None) or (
            party is not None and party != self.settings.client_id
        ):
            raise NotVouched("the token is for another party")
        if not 0 < len(claims["sub"]) <= LONGEST_SUBJECT:
            raise NotVouched("the subject is no subject")
        email = claims.get("email")
        is_checked = isinstance(email, str) and claims.get("email_verified") is True and len(email) <= LONGEST_SHOWN
        names = (claims.get("preferred_username"), email, claims.get("name"), claims["sub"])
        shown = next(name for name in names if isinstance(name, str) and name.strip())
        return Proven(
            issuer=self.settings.issuer,
            subject=claims["sub"],
            shown_as="".join(sign for sign in shown if sign.isprintable())[:LONGEST_SHOWN],
            email=str(email).casefold() if is_checked else None,
            proved_at=_proved_at(claims.get("auth_time")),
        )


def _proved_at(told: object) -> datetime | None:
    """Return the moment that a token names; None for none, and for one that is still to come."""
    if not isinstance(told, int) or isinstance(told, bool) or not 0 < told <= time.time() + LEEWAY:
        return None
    return min(datetime.fromtimestamp(told, UTC), datetime.now(UTC))


class Providers:
    """The providers of this site by name, in the order of the settings."""

    def __init__(self, settings: Iterable[IdentityProvider], *, public_url: str) -> None:
        self._by_name = {one.name: Provider(one, public_url=public_url) for one in settings}

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._by_name.values())

    def named(self, name: str) -> Provider:
        """Return a provider; raise NotFound for one that the settings do not know."""
        if name not in self._by_name:
            raise NotFound("Penyedia akun itu tidak dipakai di sini. Buka kembali halaman masuk.")
        return self._by_name[name]
