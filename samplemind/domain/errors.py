"""Expected failures. Each has a stable code that reaches the client as it is."""

from typing import ClassVar


class DomainError(Exception):
    """An expected failure.

    `code` is stable and for programs; `message` is for people and says what to do;
    `field` is the path of the input at fault, where there is one.
    """

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, *, field: tuple[str, ...] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class BadUserInput(DomainError):
    code = "BAD_USER_INPUT"


class NotFound(DomainError):
    code = "NOT_FOUND"


class Unauthenticated(DomainError):
    """Nobody has signed in, or with what is not known, or no more."""

    code = "UNAUTHENTICATED"


class TokenExpired(Unauthenticated):
    """The access token is over: the refresh token gets another."""

    code = "TOKEN_EXPIRED"


class Forbidden(DomainError):
    """The caller is known and may not do this."""

    code = "FORBIDDEN"


class InvalidCredentials(DomainError):
    """The same for a wrong password and an unknown email."""

    code = "INVALID_CREDENTIALS"


class EmailTaken(DomainError):
    code = "EMAIL_TAKEN"


class RegistrationClosed(DomainError):
    code = "REGISTRATION_CLOSED"


class SessionEnded(DomainError):
    """The refresh token gets no others: its session is over, or it was used before."""

    code = "SESSION_ENDED"


class TooManyAttempts(DomainError):
    """Too many attempts to sign in, by one account or from one address."""

    code = "TOO_MANY_ATTEMPTS"


class TooManyApiKeys(DomainError):
    code = "TOO_MANY_API_KEYS"


class QuotaExceeded(DomainError):
    """The library would hold more than its owner may store."""

    code = "QUOTA_EXCEEDED"


class TooManySubscriptions(DomainError):
    code = "TOO_MANY_SUBSCRIPTIONS"


class EmptyUpload(DomainError):
    """The upload holds no bytes."""

    code = "EMPTY_FILE"


class NotAudio(DomainError):
    """The bytes are not a sound in a format that can be read."""

    code = "NOT_AUDIO"


class NoSound(DomainError):
    """The container is readable and holds no decodable sound."""

    code = "NO_DECODABLE_SOUND"


class FileTooLarge(DomainError):
    code = "FILE_TOO_LARGE"


class LinkInvalid(DomainError):
    code = "LINK_INVALID"


class LinkExpired(DomainError):
    code = "LINK_EXPIRED"


class UploadNotFound(DomainError):
    code = "UPLOAD_NOT_FOUND"


class UploadExpired(DomainError):
    code = "UPLOAD_EXPIRED"


class UploadCompleted(DomainError):
    """An upload is completed once: its file is in the library already."""

    code = "UPLOAD_COMPLETED"


class UploadBusy(DomainError):
    """Another request completes it at this moment."""

    code = "UPLOAD_BUSY"


class UploadIncomplete(DomainError):
    """Its bytes have not arrived."""

    code = "UPLOAD_INCOMPLETE"


class SizeMismatch(DomainError):
    """More or fewer bytes than were announced."""

    code = "SIZE_MISMATCH"


class DigestMismatch(DomainError):
    """Other bytes than the sender's digest says."""

    code = "DIGEST_MISMATCH"


class SoundTooLong(DomainError):
    code = "SOUND_TOO_LONG"


class SoundTooLarge(DomainError):
    """More decoded samples than are read, in all channels together."""

    code = "SOUND_TOO_LARGE"


class SoundUnsupported(DomainError):
    """A sample rate or a number of channels that is not accepted."""

    code = "SOUND_UNSUPPORTED"


class ReadingTimeout(DomainError):
    """Reading the file took longer than is allowed."""

    code = "READING_TIMEOUT"


class ReadingFailed(DomainError):
    """The process that read the file came to its end, or to the end of its memory."""

    code = "READING_FAILED"


class AnalysisFailed(DomainError):
    """The analysis failed unexpectedly; the message holds the number under which it is logged."""

    code = "ANALYSIS_FAILED"


class AnalysisTimeout(DomainError):
    """No worker has analysed the sound in the time that somebody waits for it, or that one
    analysis may take."""

    code = "ANALYSIS_TIMEOUT"


class TooMuchQueued(DomainError):
    """More analyses of one owner would be waiting than may."""

    code = "TOO_MUCH_QUEUED"


class NotAnalyzed(DomainError):
    """The question needs an analysis that the file does not have yet."""

    code = "NOT_ANALYZED"


class BatchFinished(DomainError):
    code = "BATCH_FINISHED"


class NothingToRetry(DomainError):
    code = "NOTHING_TO_RETRY"


class RateLimited(DomainError):
    """The caller's points of this minute are spent; `retry_after` is in seconds."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PartUnavailable(DomainError):
    """A part (documents, vectors, events, blobs) does not answer; nothing was changed."""

    code = "UNAVAILABLE"


class Overloaded(DomainError):
    """As many requests are under way as are taken at once; nothing was changed."""

    code = "OVERLOADED"


class AiError(DomainError):
    """No AI provider has answered."""

    code = "AI_FAILED"


class AiNotConfigured(AiError):
    code = "AI_NOT_CONFIGURED"

    def __init__(self) -> None:
        super().__init__(
            "No AI provider is configured: whoever runs this server sets SAMPLEMIND_OPENAI_API_KEY "
            "or SAMPLEMIND_GEMINI_API_KEY, or SAMPLEMIND_OPENAI_URL for a model of its own."
        )


class AiBudgetExceeded(AiError):
    """The user's questions of today have taken what they may."""

    code = "AI_BUDGET_EXCEEDED"


class AiUnavailable(AiError):
    """The provider failed, or has failed so often that it is left alone for a while."""

    code = "AI_UNAVAILABLE"


class AiTimeout(AiError):
    code = "AI_TIMEOUT"


class AiRateLimited(AiError):
    """The provider takes no more questions for now; `retry_after` is in seconds."""

    code = "AI_RATE_LIMITED"

    def __init__(self, message: str, retry_after: float | None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AiMisconfigured(AiError):
    """The provider does not know the key, or the model."""

    code = "AI_MISCONFIGURED"


class AiQuestionRejected(AiError):
    """The provider does not take this question; others it may."""

    code = "AI_QUESTION_REJECTED"


class AiRefused(AiError):
    """The model does not want to answer."""

    code = "AI_REFUSED"


class AiInvalidAnswer(AiError):
    """The model answered something else than it was asked for, twice."""

    code = "AI_INVALID_ANSWER"


SOUND_ERRORS = {
    error.code: error
    for error in (
        EmptyUpload,
        NotAudio,
        NoSound,
        SoundTooLong,
        SoundTooLarge,
        SoundUnsupported,
        ReadingTimeout,
        ReadingFailed,
    )
}
"""What may be wrong with a sound, by code: for whoever is told of it by another process."""
