"""Steps that find and place files."""

import shutil
from pathlib import Path

from pydantic import field_validator

from aetherflow.core.builtin.connectors import LocalFolder
from aetherflow.core.builtin.output import written_whole
from aetherflow.core.extension import Step, StepResult


class GlobFiles(Step):
    """List the files in a folder that match a pattern; `**` goes into folders below.

    Inputs:
        folder: Where to look.
        pattern: A glob pattern, relative to the folder.
        required: Whether it is an error that nothing matches.
    """

    outputs = ("paths", "count")
    folder: LocalFolder
    pattern: str
    required: bool = False

    @field_validator("pattern")
    @classmethod
    def _stays_inside(cls, pattern: str) -> str:
        path = Path(pattern)
        if not pattern or path.is_absolute() or ".." in path.parts:
            raise ValueError("must be a pattern that stays inside the folder")
        return pattern

    def run(self) -> StepResult:
        """Return the paths, absolute and sorted."""
        found = sorted(str(path) for path in self.folder.path.glob(self.pattern) if path.is_file())
        if self.required and not found:
            raise ValueError(f"nothing in {self.folder.path} matches '{self.pattern}'")
        return StepResult({"paths": found, "count": len(found)})


class CopyFile(Step):
    """Copy one file into a folder, replacing a file of that name.

    Inputs:
        source: The file.
        folder: Where the copy goes.
        name: The name of the copy in the folder; the name of the source unless given.
    """

    outputs = ("path",)
    source: Path
    folder: LocalFolder
    name: str = ""

    def run(self) -> StepResult:
        """Return the path of the copy."""
        target = self.folder.inside(self.name or self.source.name)
        with written_whole(target) as draft:
            shutil.copyfile(self.source, draft)
            shutil.copystat(self.source, draft)
        return StepResult({"path": str(target)})


class MoveFile(Step):
    """Move one file into a folder, replacing a file of that name.

    Inputs:
        source: The file.
        folder: Where it goes.
        name: Its new name in the folder; the old one unless given.
    """

    outputs = ("path",)
    source: Path
    folder: LocalFolder
    name: str = ""

    def run(self) -> StepResult:
        """Return the new path."""
        target = self.folder.inside(self.name or self.source.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(self.source, target)
        return StepResult({"path": str(target)})
