"""What mails say."""

import orjson

from samplemind.domain.batch_job import BatchStatus
from samplemind.domain.user import User
from samplemind.settings import Settings

_ENDINGS = {
    BatchStatus.SUCCEEDED: "all of them analysed",
    BatchStatus.PARTIAL: "some of them failed",
    BatchStatus.FAILED: "all of them failed",
    BatchStatus.CANCELLED: "cancelled",
}

_BATCH = """{{ node(id: "{id}") {{ ... on BatchJob {{ status total completed failed
  items(status: FAILED) {{ edges {{ node {{
    audioFile {{ filename }} failure {{ code message }} }} }} }} }} }} }}"""


def batch_mail(settings: Settings, user: User, body: str) -> tuple[str, str, dict[str, str]]:
    """Subject, text and further headers for the body of BATCH_JOB_FINISHED."""
    batch = orjson.loads(body)["data"]
    ending = _ENDINGS[BatchStatus(batch["status"])]
    files = f"{batch['total']:,} {'file' if batch['total'] == 1 else 'files'}"
    counts = [f"  {batch[name]:>7,} {name}" for name in ("completed", "failed", "cancelled")]
    lines = [
        f"Hello {user.username},",
        "",
        f"your batch job of {files} has ended: {ending}.",
        "",
        *counts,
        "",
    ]
    if settings.public_url:
        url = f"{settings.public_url.rstrip('/')}/graphql"
        lines += [f"What has become of it, at {url}:", _BATCH.format(id=batch["id"]), ""]
    lines += [
        "-- ",
        "You asked for a mail when a batch job of yours ends. To get no more of them:",
        "mutation { updateAccount(input: { emailNotifications: false }) { errors { message } } }",
        "or write to whoever runs this server, who sent this mail.",
    ]
    headers = {"List-Unsubscribe": f"<mailto:{_address(settings.mail_from)}?subject=unsubscribe>"}
    return f"Batch job of {files}: {ending}", "\n".join(lines) + "\n", headers


def _address(sender: str) -> str:
    """Without a name around it."""
    return sender.rpartition("<")[2].strip(" >")
