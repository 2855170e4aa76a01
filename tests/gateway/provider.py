"""An identity provider for the tests: conforming, with knobs that make it lie. Run as a process of its own.

`python -m tests.gateway.provider PORT_FILE` serves on a free port of the loopback and writes the port to the file.
It knows one person per knob set by `POST /knobs`; whoever comes to /authorize is signed in at once.
"""

import base64
import hashlib
import hmac
import json
import secrets
import socket
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import uvicorn
from fastapi import FastAPI, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

CLIENT, SECRET = "alur", "rahasia klien: ä+/&"
KEYS: dict[str, Any] = {
    "RS256": RSAKey.generate_key(2048, parameters={"kid": "r", "use": "sig"}),
    "ES256": ECKey.generate_key("P-256", parameters={"kid": "e", "use": "sig"}),
    "Ed25519": OKPKey.generate_key("Ed25519", parameters={"kid": "o", "use": "sig"}),
}


def make(issuer: str) -> FastAPI:
    """Return the provider's application."""
    app = FastAPI()
    knobs: dict[str, Any] = {}
    codes: dict[str, dict[str, str]] = {}
    asked: list[str] = []

    @app.post("/knobs")
    async def turn(request: Request) -> dict[str, Any]:
        knobs.clear()
        knobs.update(await request.json())
        asked.clear()
        return knobs

    @app.get("/asked")
    def what_was_asked() -> list[str]:
        return asked

    @app.post("/turn-keys")
    def turn_keys() -> None:
        KEYS["RS256"] = RSAKey.generate_key(2048, parameters={"kid": secrets.token_hex(4), "use": "sig"})

    @app.get("/.well-known/openid-configuration")
    def configuration() -> Response:
        asked.append("configuration")
        if knobs.get("redirects"):
            return RedirectResponse(f"{issuer}/elsewhere")
        told = {
            "issuer": knobs.get("told_issuer", issuer),
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/keys",
            "authorization_response_iss_parameter_supported": True,
        }
        return JSONResponse(told | {"padding": "x" * knobs.get("padding", 0)})

    @app.get("/keys")
    def keys() -> Any:
        asked.append("keys")
        return {"keys": [key.as_dict(private=False) for key in KEYS.values()]}

    @app.get("/authorize")
    def authorize(request: Request) -> Response:
        given = dict(request.query_params)
        assert given["response_type"] == "code" and given["code_challenge_method"] == "S256"
        assert given["client_id"] == CLIENT and given["nonce"] and given["state"]
        if knobs.get("denies"):
            back = {"error": "access_denied", "state": given["state"], "iss": issuer}
            return RedirectResponse(f"{given['redirect_uri']}?{urlencode(back)}")
        code = secrets.token_urlsafe(16)
        codes[code] = given
        back = {"code": code, "state": given["state"], "iss": knobs.get("answer_issuer", issuer)}
        if knobs.get("answer_issuer") == "":
            back.pop("iss")
        return RedirectResponse(f"{given['redirect_uri']}?{urlencode(back)}")

    @app.post("/token")
    def token(
        request: Request,
        code: str = Form(),
        redirect_uri: str = Form(),
        code_verifier: str = Form(),
        grant_type: str = Form(),
    ) -> Response:
        pair = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        client, _, secret = pair.partition(":")
        given = codes.pop(code, None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).decode().rstrip("=")
        is_good = given and given["code_challenge"] == challenge and given["redirect_uri"] == redirect_uri
        if not is_good or (unquote(client), unquote(secret)) != (CLIENT, SECRET) or grant_type != "authorization_code":
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": issuer,
            "sub": "u-1",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": given["nonce"],
            "preferred_username": "ani@kampus",
        }
        if "max_age" in given:
            # Whoever is asked for a fresh proof gives it at once; the others are remembered.
            claims["auth_time"] = now
        claims |= knobs.get("claims", {})
        claims = {name: value for name, value in claims.items() if value is not None}
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": _signed(claims, knobs)})

    return app


def _signed(claims: dict[str, Any], knobs: dict[str, Any]) -> str:
    how = knobs.get("signs", "RS256")
    if how == "none":
        return _text({"alg": "none", "typ": "JWT"}) + "." + _text(claims) + "."
    if how == "HS256 with the public key":
        # By hand: the library refuses to make such a token.
        body = _text({"alg": "HS256", "kid": KEYS["RS256"].kid}) + "." + _text(claims)
        proof = hmac.digest(KEYS["RS256"].as_pem(private=False), body.encode(), "sha256")
        return f"{body}.{base64.urlsafe_b64encode(proof).decode().rstrip('=')}"
    if how == "HS256 with the client's secret":
        return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET.encode()), algorithms=["HS256"])
    if how == "another key":
        return jwt.encode(
            {"alg": "RS256", "kid": KEYS["RS256"].kid}, claims, RSAKey.generate_key(2048), algorithms=["RS256"]
        )
    if how == "a key of its own header":
        mine = RSAKey.generate_key(2048)
        return jwt.encode({"alg": "RS256", "jwk": mine.as_dict(private=False)}, claims, mine, algorithms=["RS256"])
    key = KEYS[how]
    return jwt.encode({"alg": how, "kid": key.kid}, claims, KeySet([key]), algorithms=[how])


def _text(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def main(port_file: str) -> None:
    """Serve until the process is ended."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(make(f"http://127.0.0.1:{port}"), log_config=None, access_log=False))
        partial = Path(port_file + ".part")
        partial.write_text(str(port))
        partial.rename(port_file)
        server.run(sockets=[listening])


if __name__ == "__main__":
    main(sys.argv[1])
