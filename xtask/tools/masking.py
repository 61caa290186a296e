"""Every spelling in which an index may echo a login, so that none of them is shown."""

import base64
from collections.abc import Iterable
from urllib.parse import quote, unquote

# Shorter ones would be found in any text.
SHORTEST = 3


def forms(user: str | None, password: str) -> set[str]:
    """Return every spelling of a password in which an index may echo it."""
    found = {password, unquote(password)}
    found |= {quote(form, safe=safe) for form in tuple(found) for safe in ("", "/", "~!$&'()*+,;=")}
    for name in {user or "", unquote(user or ""), "__token__"}:
        for form in (password, unquote(password)):
            login = base64.b64encode(f"{name}:{form}".encode(errors="surrogateescape")).decode()
            found |= {login, login.rstrip("="), quote(login, safe="")}
    return {form for form in found if len(form) >= SHORTEST}


def of_header(authorization: str) -> set[str]:
    """Return the spellings of the login in a header that was sent."""
    scheme, _, sent = authorization.partition(" ")
    if scheme.lower() != "basic":
        return {sent} if sent else set()
    try:
        user, _, password = base64.b64decode(sent).decode().partition(":")
    except ValueError:
        return {sent}
    return {sent} | forms(user, password)


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return the text without any of these; the longest first, as one may be part of another."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text
