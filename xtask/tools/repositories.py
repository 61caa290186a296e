"""Describe how twine and pip would reach indexes, as JSON; a secret itself is never printed.

A question is a list: the configuration file, or ``-`` for twine's own default, then the names. The
answer is an object: ``default_upload`` and ``default_simple`` (the addresses that twine and pip use
when nothing is configured) and ``repositories`` with, per name, ``{"upload", "credentials"}`` or
``{"error"}``. ``credentials`` says where twine finds them: ``.pypirc``, ``keyring``,
``trusted publishing``, or null.
"""

import hashlib
import os
from typing import Any
from urllib.parse import urlsplit

from pip._internal.models.index import PyPI
from twine import exceptions, utils


def _keyring_has(system: str, username: str | None) -> bool:
    try:
        import keyring

        if username:
            return keyring.get_password(system, username) is not None
        return keyring.get_credential(system, None) is not None
    except Exception:  # a broken keyring has no credentials
        return False


def _can_be_trusted(upload: str) -> bool:
    hosts = {urlsplit(url).hostname for url in (utils.DEFAULT_REPOSITORY, utils.TEST_REPOSITORY)}
    providers = ("ACTIONS_ID_TOKEN_REQUEST_URL", "GITLAB_CI", "BUILDKITE", "CIRCLECI")
    return urlsplit(upload).hostname in hosts and any(name in os.environ for name in providers)


def _credentials(config: dict[str, Any]) -> str | None:
    upload = config["repository"]
    if config.get("password"):
        return ".pypirc"
    if _keyring_has(upload, config.get("username")):
        return "keyring"
    return "trusted publishing" if _can_be_trusted(upload) else None


def describe(config_file: str, name: str) -> dict[str, Any]:
    """Return the upload address of a repository and where its credentials come from.

    ``secret`` is a shortened digest, to compare two secrets for equality. Only the parent process
    gets it, and it is never shown.
    """
    try:
        config = utils.get_repository_from_config(config_file, name)
    except exceptions.TwineException as error:
        return {"error": str(error).splitlines()[0]}
    password = config.get("password")
    secret = hashlib.sha256(password.encode()).hexdigest()[:16] if password else None
    upload = utils.sanitize_url(config["repository"])
    return {"upload": upload, "credentials": _credentials(dict(config)), "secret": secret}


def answer(question: list[str]) -> dict[str, Any]:
    """Return the description of every repository named."""
    config_file, *names = question
    path = utils.DEFAULT_CONFIG_FILE if config_file == "-" else config_file
    return {
        "default_upload": utils.DEFAULT_REPOSITORY,
        "default_simple": PyPI.simple_url,
        "repositories": {name: describe(path, name) for name in names},
    }
