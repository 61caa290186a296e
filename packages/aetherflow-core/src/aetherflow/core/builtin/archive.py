"""The step that packs files."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from aetherflow.core.builtin.output import written_whole
from aetherflow.core.extension import Preview, Step, StepResult


class ZipFiles(Step):
    """Pack files, and folders with all that is in them, into a zip archive."""

    outputs = ("path", "count")
    files: list[Path] = Field(min_length=1, description="The files and folders.")
    root: Path | None = Field(
        None,
        description="Names in the archive are relative to this folder. Unless given, a file "
        "is packed under its own name, and a folder as a folder of its name.",
    )
    target: Path = Field(description="The archive; replaced if it exists.")

    def run(self) -> StepResult:
        """Return the path of the archive and the number of files in it."""
        by_name: dict[str, Path] = {}
        for name, file in self._entries():
            other = by_name.setdefault(name, file)
            if other != file:
                raise ValueError(f"two files have the name `{name}`: {other} and {file}")
        with (
            written_whole(self.target) as draft,
            # Files from before 1980, which zip cannot date, count as from 1980.
            zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive,
        ):
            for name, file in sorted(by_name.items()):
                self.checkpoint()
                archive.write(file, name)
        return StepResult({"path": str(self.target), "count": len(by_name)})

    def preview(self) -> Preview:
        """Return the files that are read and the one that is written."""
        return Preview(reads={"files": tuple(self.files)}, writes=(self.target,))

    def _entries(self) -> Iterator[tuple[str, Path]]:
        """Yield every file with its name in the archive."""
        for path in self.files:
            base = self.root or path.parent
            if base not in path.parents and base != path:
                raise ValueError(f"{path} is not in the folder {base}, which `root` names")
            inside = sorted(path.rglob("*")) if path.is_dir() else [path]
            for file in inside:
                if not file.is_dir() and file != self.target:  # an earlier archive in a folder
                    self._stays_inside(file, path)
                    yield file.relative_to(base).as_posix(), file

    def _stays_inside(self, file: Path, folder: Path) -> None:
        """Refuse a link in a packed folder that leads out of it."""
        if file != folder and folder.resolve() not in file.resolve().parents:
            raise ValueError(f"{file} is a link that leads out of the folder {folder}")
