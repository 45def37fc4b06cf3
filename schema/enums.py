"""The enums of the domain, described for people who read the schema."""

from enum import Enum
from typing import TypeVar

import strawberry

from samplemind.domain.ai import AiProviderName, AiStatus
from samplemind.domain.analysis import (
    AbsenceCode,
    AnalysisLevel,
    AnalysisStatus,
    Mode,
    SampleKind,
)
from samplemind.domain.audit_event import AuditAction
from samplemind.domain.batch_job import BatchStatus
from samplemind.domain.delivery import DeliveryStatus
from samplemind.domain.library import AudioFileOrderField
from samplemind.domain.search import Condition, UnderstoodBy
from samplemind.domain.suggested_tag import TagSource
from samplemind.domain.user import Role
from samplemind.domain.webhook import WebhookEvent

E = TypeVar("E", bound=type[Enum])


def _describe(enum: E, description: str, **values: str) -> E:
    """Registers the enum with a description for itself and for each of its values."""
    described = strawberry.enum(enum, description=description)
    for value in described.__strawberry_definition__.values:  # pyright: ignore
        value.description = values[value.name]
    return enum


class OrderDirection(Enum):
    ASC = "ASC"
    DESC = "DESC"


_describe(
    AnalysisLevel,
    "How much is asked of a sound. Each level holds everything of the one before.",
    BASIC="Kind, tempo and key.",
    STANDARD="And loudness, spectral features, labels, and what similarity needs.",
    DETAILED="And beats, onsets, metre, downbeats, pitch and loop points.",
    PROFESSIONAL="Everything that is known to ask, and what an AI says where one is configured.",
)
_describe(
    AnalysisStatus,
    "How far an analysis is.",
    QUEUED="Waiting for a worker.",
    RUNNING="A worker is at it.",
    SUCCEEDED="Its results are there.",
    FAILED="It ended without results; `failure` says why.",
    CANCELLED="It was cancelled before it began.",
)
_describe(
    AiProviderName,
    "Who can be asked about sounds.",
    OPENAI="OpenAI, or a server of one's own that speaks as it does.",
    GEMINI="Google's Gemini.",
)
_describe(
    AiStatus,
    "How far the AI's part of an analysis is.",
    QUEUED="It is asked when the rest has succeeded, or waits to be.",
    RUNNING="It is being asked.",
    SUCCEEDED="It has answered.",
    FAILED="It has not; `aiFailure` says why.",
)
_describe(
    SampleKind,
    "What a sound is for.",
    ONE_SHOT="A single hit or note.",
    LOOP="A passage made to be repeated.",
    TRACK="A piece of music, or a long recording.",
)
_describe(
    AbsenceCode,
    "Why a field of an analysis is null.",
    BEYOND_LEVEL="The level does not ask for it: a higher one may.",
    SILENT="Nothing sounds.",
    ONE_SHOT="A one-shot happens once: it has no tempo, bars or loop.",
    MANY_NOTES="One pitch is told of one-shots only.",
    TRACK_WITHOUT_LOOP="A track repeats itself only where its file has loop points.",
    NO_PULSE="Nothing repeats itself as beats do: a pad, noise.",
    NO_TONALITY="No clear notes: drums, noise.",
    NO_PITCH="No steady fundamental: most drums, chords.",
    TOO_SHORT="Fewer beats than it takes to tell.",
)
_describe(Mode, "Major or minor.", MAJOR="Major.", MINOR="Minor.")
_describe(
    BatchStatus,
    "How far a batch job is.",
    QUEUED="Nothing of it has begun.",
    RUNNING="Some of it is running or done.",
    SUCCEEDED="Every item has succeeded.",
    PARTIAL="Some items have succeeded and some have failed.",
    FAILED="Every item has failed.",
    CANCELLED="It was cancelled; items that had ended by then keep their results.",
)
_describe(
    AudioFileOrderField,
    "What files can be ordered by.",
    UPLOADED_AT="When it was uploaded.",
    FILENAME="Its filename, without regard to case.",
    DURATION="How long it is.",
    TEMPO="Its tempo; files without one come last both ways.",
)
_describe(
    Condition,
    "A condition that a prompt sets, by the field of `AudioFileFilter`. Where nothing meets all, "
    "they are given up in this order, as few as it takes.",
    SEARCH="Words of filenames and tags.",
    LOUDNESS="The range of LUFS.",
    DURATION_SECONDS="The range of seconds.",
    KEYS="The keys.",
    TEMPO="The range of BPM.",
    KINDS="The kinds.",
    WITHOUT_LABELS="The labels it must not have.",
    LABELS="The labels.",
)
_describe(
    UnderstoodBy,
    "Who understood a prompt.",
    PARSER="Rules of our own, which ask nobody.",
    OPENAI="OpenAI, or a server that speaks as it does.",
    GEMINI="Gemini.",
)
_describe(
    TagSource,
    "Who suggests a tag.",
    ANALYSIS="The analysis hears it.",
    AI="An AI said so, where one was asked.",
)
_describe(Role, "What a user may do.", USER="Use their own library.", ADMIN="Look after all.")
_describe(
    AuditAction,
    "What can happen to an account.",
    REGISTERED="It was made.",
    SIGNED_IN="Somebody signed in to it.",
    ATTEMPT_REFUSED="Somebody tried to, with a wrong email or password.",
    SIGNED_OUT="A session was ended.",
    SESSION_REUSED="A spent refresh token was shown, which ended its session.",
    CREDENTIALS_SET="An operator set its password anew.",
    API_KEY_CREATED="A key was made.",
    API_KEY_USED="A key was used from this address, for the first time in an hour.",
    API_KEY_REVOKED="A key was revoked.",
    WEBHOOK_CREATED="A webhook was made.",
    WEBHOOK_CHANGED="A webhook was changed, or got another secret.",
    WEBHOOK_DELETED="A webhook was deleted.",
    AUDIO_FILE_DELETED="A file was deleted.",
    ACCOUNT_DELETED="It was deleted with everything stored by it.",
)
_describe(
    WebhookEvent,
    "What a webhook can be told of.",
    BATCH_JOB_FINISHED="A batch job has ended, however. It may end again after `retryBatchJob`.",
    ANALYSIS_FINISHED="An analysis outside batch jobs has ended, however.",
    AUDIO_FILE_DELETED="A file was deleted.",
    TEST="`testWebhook` was called.",
)
_describe(
    DeliveryStatus,
    "What has become of a delivery.",
    PENDING="It is sent, and sent again until it arrives.",
    DELIVERED="It has arrived: the answer was one of success.",
    DEAD_LETTERED="It was given up; `error` says why.",
)
_describe(OrderDirection, "Which way round.", ASC="Smallest first.", DESC="Largest first.")
