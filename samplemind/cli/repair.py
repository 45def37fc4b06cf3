"""`samplemind doctor --repair`: where rows, audio bytes and vectors do not agree."""

from datetime import timedelta
from typing import TYPE_CHECKING

from samplemind.cli.on_parts import on_parts

if TYPE_CHECKING:
    from samplemind.jobs.inspection import Finding
    from samplemind.parts import Parts


def repair(older_than: timedelta) -> list[dict[str, object]]:
    """Goes through everything, mends what can be mended, and answers what was found."""
    return on_parts(lambda parts: repaired(parts, older_than))


async def repaired(parts: "Parts", older_than: timedelta) -> list[dict[str, object]]:
    """The same on parts that are open."""
    from samplemind.cli.progress import Stage
    from samplemind.jobs.inspection import inspect, inspect_passing, owners

    found = [await _mended(each) async for each in inspect_passing(parts, older_than)]
    everybody = await owners(parts)
    with Stage("Inspecting", len(everybody), of="owner") as stage:
        for owner_id in everybody:
            found += [await _mended(each) async for each in inspect(parts, owner_id, older_than)]
            stage.advance(1)
    return found


async def _mended(finding: "Finding") -> dict[str, object]:
    if finding.mend:
        await finding.mend()
    return {
        "fault": finding.fault.value,
        "ownerId": finding.owner_id,
        "subject": finding.subject,
        "mended": finding.mend is not None,
    }
