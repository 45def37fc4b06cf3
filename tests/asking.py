"""The schema asked without a server between: by one person, over real parts."""

from dataclasses import dataclass, replace
from typing import Any

from resolvers.scope import Scope
from samplemind.domain.analysis import Analysis, AnalysisStatus, Findings
from samplemind.domain.audio_file import AudioFile
from samplemind.parts import Parts
from schema.ids import encode_id
from schema.root import graphql_schema
from tests.domain.models import analysis, audio_file, user


@dataclass(frozen=True)
class Person:
    """Somebody with a library of their own."""

    parts: Parts
    owner_id: str

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data; fails on any error."""
        result = await self._execute(query, variables)
        assert result.errors is None, result.errors
        assert result.data
        return result.data

    async def refused(self, query: str, **variables: Any) -> dict[str, Any]:
        """The extensions of the first error, with its message; fails where there is none."""
        result = await self._execute(query, variables)
        assert result.errors
        error = result.errors[0]
        return {**(error.extensions or {}), "message": error.message}

    async def stores(self, findings: Findings | None = None, **fields: Any) -> AudioFile:
        """A file of theirs, analysed where findings are given."""
        known = {name: fields.pop(name) for name in ("ai",) if name in fields}
        file = await self.parts.store.audio_files.add(audio_file(self.owner_id, **fields))
        return file if findings is None else await self.analyzes(file, findings, **known)

    async def analyzes(self, file: AudioFile, findings: Findings, **fields: Any) -> AudioFile:
        """As a worker does it."""
        run: Analysis = analysis(
            self.owner_id,
            file.id,
            status=AnalysisStatus.SUCCEEDED,
            findings=findings,
            **fields,
        )
        await self.parts.store.analyses.add([run])
        await self.parts.vectors.put(file, findings)
        assert await self.parts.store.audio_files.set_analysis(run)
        return replace(file, analysis_id=run.id)

    async def _execute(self, query: str, variables: dict[str, Any]) -> Any:
        scope = Scope(self.parts, user(self.owner_id))
        return await graphql_schema.execute(query, variable_values=variables, context_value=scope)


def id_of(file: AudioFile) -> str:
    return encode_id("AudioFile", file.id)
