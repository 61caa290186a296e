"""The connector for a folder of the local file system: a border for what steps do in it."""

from pathlib import Path

from pydantic import Field

from aetherflow.core.extension import Connector


class LocalFolder(Connector):
    """A folder on this machine; no step that is given one reads or writes outside it."""

    path: Path = Field(description="The folder; made by the first step that writes to it.")

    def inside(self, name: str | Path) -> Path:
        """Return the path of a file in the folder, with every link followed.

        Args:
            name: A path relative to the folder, or an absolute one.

        Raises:
            ValueError: The path, or what a link in it points to, is outside the folder.
        """
        root = self.path.resolve()
        path = (root / name).resolve()
        if root not in path.parents:
            raise ValueError(f"`{name}` leads out of the folder {self.path}")
        return path
