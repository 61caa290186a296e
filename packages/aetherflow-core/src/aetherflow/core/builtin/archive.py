"""The step that packs files."""

import zipfile
from pathlib import Path

from pydantic import Field

from aetherflow.core.builtin.output import written_whole
from aetherflow.core.extension import Step, StepResult


class ZipFiles(Step):
    """Pack files into a zip archive, without their folders.

    Inputs:
        files: The files; no two may have the same name.
        target: The archive, replaced if it is there.
    """

    outputs = ("path", "count")
    files: list[Path] = Field(min_length=1)
    target: Path

    def run(self) -> StepResult:
        """Return the path of the archive and the number of files in it."""
        by_name: dict[str, Path] = {}
        for file in self.files:
            other = by_name.setdefault(file.name, file)
            if other is not file:
                raise ValueError(f"two files have the name '{file.name}': {other} and {file}")
        with (
            written_whole(self.target) as draft,
            # Files from before 1980, which zip cannot date, count as from 1980.
            zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive,
        ):
            for name, file in sorted(by_name.items()):
                archive.write(file, name)
        return StepResult({"path": str(self.target), "count": len(by_name)})
