"""Steps that speak HTTP. httpx is imported when a request is made: it takes long to load."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from aetherflow.core.builtin.output import written_whole
from aetherflow.core.errors import PermanentError
from aetherflow.core.extension import Preview, Step, StepResult
from aetherflow.core.logs import note

if TYPE_CHECKING:
    import httpx

_SILENCE = 30.0
"""Seconds without a sign of the server after which a request has failed."""

_BODY_AT_MOST = 1_048_576
"""Bytes of a response that `http_request` hands on; what is longer is for `download`."""

_QUOTED_AT_MOST = 300
"""Characters of an error response that a message quotes."""

_TRANSIENT = frozenset({408, 425, 429})
"""Statuses below 500 that a later attempt may not get: timeout, too early, too many requests."""


class _Request(Step):
    """What all requests have in common."""

    url: str = Field(description="An `http` or `https` address. Redirects are followed.")
    headers: dict[str, str] = Field({}, description="Headers of the request.")
    query: dict[str, str] = Field({}, description="Parameters that are appended to the address.")

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("expected an address that begins with `http://` or `https://`")
        return url

    @contextmanager
    def _response(self, method: str, **body: Any) -> Iterator["httpx.Response"]:
        """Send the request and lend the response, whose body is not read yet.

        Raises:
            RuntimeError: The server cannot be reached, or breaks off.
            PermanentError: The request cannot be sent at all.
        """
        import httpx

        left = self.checkpoint()
        silence = _SILENCE if left is None else min(left, _SILENCE)
        shown = f"{method} {_without_secrets(self.url)}"
        try:
            with (
                httpx.Client(follow_redirects=True, timeout=silence) as client,
                client.stream(
                    method,
                    httpx.URL(self.url).copy_merge_params(self.query),
                    headers={"user-agent": "aetherflow", **self.headers},
                    **body,
                ) as response,
            ):
                note(f"{shown}: {response.status_code} {response.reason_phrase}")
                yield response
        except (httpx.InvalidURL, httpx.LocalProtocolError):
            # What they say quotes the value, which can be a token with a line break at its end.
            raise PermanentError(f"{shown}: invalid address or header") from None
        except (httpx.UnsupportedProtocol, httpx.TooManyRedirects) as error:
            raise PermanentError(f"{shown}: {error}") from error
        except httpx.TimeoutException as error:
            self.checkpoint()
            raise RuntimeError(f"{shown}: no answer within {silence:g} s") from error
        except httpx.HTTPError as error:
            raise RuntimeError(f"{shown}: {error or type(error).__name__}") from error

    def _body(self, response: "httpx.Response") -> Iterator[bytes]:
        # As it arrives: portions of a given size would come late from a slow server.
        for portion in response.iter_bytes():
            self.checkpoint()
            yield portion

    def _refuse_errors(self, response: "httpx.Response", accepted: list[int]) -> None:
        status = response.status_code
        if status < 400 or status in accepted:
            return
        said = ""
        for portion in self._body(response):
            said += portion.decode("utf-8", errors="replace")
            if len(said) > _QUOTED_AT_MOST:
                break
        said = " ".join(said[:_QUOTED_AT_MOST].split())
        message = (
            f"{response.request.method} {_without_secrets(self.url)}: "
            f"the server answered {status} {response.reason_phrase}".rstrip()
        )
        transient = status >= 500 or status in _TRANSIENT
        raise (RuntimeError if transient else PermanentError)(f"{message}: {said}".rstrip(": "))


class HttpRequest(_Request):
    """Send an HTTP request and hand on the answer."""

    outputs = ("status", "headers", "body", "json")
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = Field(
        "GET", description="The method."
    )
    body: Any = Field(
        None,
        description="Text is sent as it is, a mapping or a list as JSON; nothing unless given.",
    )
    accept: list[int] = Field(
        [], description="Statuses from 400 on that are not errors, such as 404."
    )

    def run(self) -> StepResult:
        """Return the status, the headers, the body as text, and what it holds if it is JSON.

        A status from 400 on is an error. Retries make sense for 408, 425, 429 and 5xx; others
        are not retried.
        """
        with self._response(self.method, **self._content()) as response:
            self._refuse_errors(response, self.accept)
            content = bytearray()
            for portion in self._body(response):
                content += portion
                if len(content) > _BODY_AT_MOST:
                    raise PermanentError(
                        f"{_without_secrets(self.url)}: the answer is longer than "
                        f"{_BODY_AT_MOST // 1024} KiB; use the step `download`"
                    )
            text = content.decode(response.encoding or "utf-8", errors="replace")
            is_json = "json" in response.headers.get("content-type", "")
            return StepResult(
                {
                    "status": response.status_code,
                    "headers": dict(response.headers),
                    "body": text,
                    "json": _parsed(text, self.url) if is_json and text else None,
                }
            )

    def preview(self) -> Preview:
        """Return that nothing is written."""
        return Preview(writes=())

    def _content(self) -> dict[str, Any]:
        if self.body is None:
            return {}
        return {"content": self.body} if isinstance(self.body, str) else {"json": self.body}


class Download(_Request):
    """Download a file over HTTP."""

    outputs = ("path", "bytes", "sha256")
    target: Path = Field(description="The file; replaced if it exists.")
    sha256: str = Field(
        "",
        pattern=r"^([0-9a-fA-F]{64})?$",
        description="The SHA-256 that the file must have, in hexadecimal; any unless given.",
    )

    def run(self) -> StepResult:
        """Return the path of the file, its size in bytes and its SHA-256 in hexadecimal."""
        size, digest = 0, hashlib.sha256()
        with self._response("GET") as response, written_whole(self.target) as draft:
            self._refuse_errors(response, [])
            with draft.open("wb") as file:
                for portion in self._body(response):
                    file.write(portion)
                    digest.update(portion)
                    size += len(portion)
            found = digest.hexdigest()
            if self.sha256 and found != self.sha256.lower():
                raise RuntimeError(
                    f"{_without_secrets(self.url)}: the file has the SHA-256 {found}, "
                    f"expected {self.sha256.lower()}"
                )
        return StepResult({"path": str(self.target), "bytes": size, "sha256": found})

    def preview(self) -> Preview:
        """Return the file that is written."""
        return Preview(writes=(self.target,))


def _parsed(text: str, url: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise RuntimeError(f"{_without_secrets(url)}: the answer is not JSON: {error}") from error


def _without_secrets(url: str) -> str:
    """Return an address without the parts that can hold a password or a token."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
