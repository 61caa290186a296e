"""Print standard input with every secret that twine knows of a repository masked.

Usage: ``mask.py CONFIG_FILE NAME``, with ``-`` for twine's own default file. An index may echo
what it was sent, and the secret is to stay inside this process.
"""

import sys

from twine import exceptions, utils


def _secrets(config_file: str, name: str) -> list[str]:
    try:
        config = utils.get_repository_from_config(config_file, name)
    except exceptions.TwineException:
        return []
    password = config.get("password")
    return [password] if password else []


def main(config_file: str, name: str) -> None:
    """Copy standard input to standard output, ``***`` in place of a secret."""
    text = sys.stdin.read()
    path = utils.DEFAULT_CONFIG_FILE if config_file == "-" else config_file
    for secret in _secrets(path, name):
        text = text.replace(secret, "***")
    sys.stdout.write(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
