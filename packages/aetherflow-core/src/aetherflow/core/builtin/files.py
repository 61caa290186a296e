"""Steps that find and place files. The folder that they are given is a border, links included."""

import shutil
from pathlib import Path

from pydantic import Field, field_validator

from aetherflow.core.builtin.folder import LocalFolder
from aetherflow.core.builtin.output import written_whole
from aetherflow.core.extension import Preview, Step, StepResult


class GlobFiles(Step):
    """List the files in a folder that match a pattern; `**` also searches the folders below."""

    outputs = ("paths", "count")
    folder: LocalFolder = Field(description="Where to look.")
    pattern: str = Field(description="A glob pattern, relative to the folder.")
    required: bool = Field(False, description="Whether it is an error that nothing matches.")

    @field_validator("pattern")
    @classmethod
    def _stays_inside(cls, pattern: str) -> str:
        path = Path(pattern)
        if not pattern or path.is_absolute() or ".." in path.parts:
            raise ValueError(f"expected a pattern that stays inside the folder, found `{pattern}`")
        return pattern

    def run(self) -> StepResult:
        """Return the paths, absolute and sorted."""
        root = self.folder.path
        found = sorted(path for path in root.glob(self.pattern) if path.is_file())
        for path in found:
            self.folder.inside(path.relative_to(root))  # a link may lead out of it
        if self.required and not found:
            raise ValueError(f"no file in {root} matches `{self.pattern}`")
        return StepResult({"paths": [str(path) for path in found], "count": len(found)})

    def preview(self) -> Preview:
        """Return that nothing is written."""
        return Preview(writes=())


class _Placed(Step):
    """What the steps that put one file into a folder have in common."""

    outputs = ("path",)
    source: Path = Field(description="The file.")
    folder: LocalFolder = Field(description="Where it goes.")
    name: str = Field("", description="Its name in the folder; that of the source unless given.")

    def preview(self) -> Preview:
        """Return the file that is read and the one that is written."""
        name = self.name or self.source.name
        try:
            target = self.folder.inside(name)
        except (OSError, RuntimeError, ValueError) as error:  # a circle of links, for instance
            return Preview(writes=(), problems={"name": str(error)})
        return Preview(reads={"source": (self.source,)}, writes=(target, self.folder.path / name))


class CopyFile(_Placed):
    """Copy one file into a folder, replacing a file of that name."""

    def run(self) -> StepResult:
        """Return the path of the copy."""
        target = self.folder.inside(self.name or self.source.name)
        with written_whole(target) as draft:
            shutil.copyfile(self.source, draft)
            shutil.copystat(self.source, draft)
        return StepResult({"path": str(target)})


class MoveFile(_Placed):
    """Move one file into a folder, replacing a file of that name."""

    def run(self) -> StepResult:
        """Return the new path."""
        target = self.folder.inside(self.name or self.source.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(self.source, target)
        return StepResult({"path": str(target)})
