"""Configuration, from SAMPLEMIND_* in the environment. Every setting has a working default."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from samplemind.domain.ai import AiProviderName
from samplemind.domain.sound_limits import SoundLimits

_SOUND = SoundLimits()

# Where sign-in is required and nothing else is set.
_WITH_SIGN_IN = {
    "rate_limit": 200_000,
    "request_limit": 1_200,
    "address_rate_limit": 600_000,
    "address_request_limit": 3_600,
    "live_limit": 100,
    "quota_files": 50_000,
    "quota_bytes": 50 * 1024**3,
    "quota_seconds": 1_000_000,
    "ai_daily_tokens": 500_000,
    "webhook_private_addresses": False,
}


class Settings(BaseSettings):
    """A part whose address is empty is started on loopback by `samplemind serve`."""

    model_config = SettingsConfigDict(env_prefix="SAMPLEMIND_", extra="ignore")

    host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    auth_required: bool = Field(
        default=False,
        description="Whoever asks has to sign in. Without it, everybody is one local user, so the "
        "API listens on this machine alone.",
    )
    registration: bool = Field(default=True, description="Whether strangers may register.")
    production: bool = Field(
        default=False,
        description="Tells less to strangers: no introspection, no explorer, no suggestions.",
    )
    port: int = Field(default=8000, ge=0, le=65535, description="Port the API listens on.")
    data_dir: Path = Field(
        default=Path("data"), description="Where the embedded parts keep their data."
    )

    mongo_url: str = Field(default="", description="E.g. mongodb://mongo:27017/samplemind.")
    redis_url: str = Field(default="", description="E.g. redis://redis:6379/0.")
    chroma_url: str = Field(default="", description="E.g. http://chroma:8000.")
    blob_url: str = Field(default="", description="E.g. file:///folder or s3://bucket.")
    blob_timeout_seconds: float = Field(
        default=30, gt=0, description="How long a bucket has to answer; then it is asked again."
    )

    secret: str = Field(
        default="",
        description="Signs tokens and links; the same for every API process. 32 characters or "
        "more. On this machine alone it is made in the data directory where it is empty.",
    )
    former_secrets: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Secrets of before, with commas between them: what they signed is still read.",
    )
    public_url: str = Field(
        default="",
        description="Where clients reach the API, e.g. https://sounds.example.org, where a proxy "
        "hides it. Links begin with it.",
    )

    workers: int = Field(default=0, ge=0, description="Analysis processes; 0 is one a core.")
    trusted_proxies: str = Field(
        default="127.0.0.1",
        description="Addresses of proxies, with commas between them, which say by X-Forwarded-For "
        "where a request comes from.",
    )
    attempts_per_account: int = Field(
        default=10, gt=0, description="Attempts to sign in to an account in 15 minutes."
    )
    attempts_per_address: int = Field(
        default=100, gt=0, description="Attempts to sign in or register from it in 15 minutes."
    )
    max_upload_bytes: int = Field(default=2 * 1024**3, gt=0, description="Largest file accepted.")
    max_audio_seconds: float = Field(
        default=_SOUND.seconds, gt=0, description="Longest sound accepted."
    )
    max_channels: int = Field(
        default=_SOUND.channels, gt=0, le=64, description="Most channels of a sound accepted."
    )
    min_sample_rate: int = Field(
        default=_SOUND.lowest_rate, ge=1_000, description="Lowest sample rate accepted, in Hz."
    )
    max_sample_rate: int = Field(
        default=_SOUND.highest_rate, le=2_000_000, description="Highest sample rate accepted."
    )
    max_decoded_bytes: int = Field(
        default=_SOUND.decoded_bytes,
        gt=0,
        description="Most that a sound may decode to, four bytes a sample.",
    )
    max_reading_seconds: float = Field(
        default=60, gt=0, description="Longest that the API lets a file be read, then given up."
    )
    max_analysis_seconds: float = Field(
        default=540, gt=0, description="Longest that one analysis may take, then given up."
    )
    max_pending: int = Field(
        default=200_000, gt=0, description="Analyses of a user that may be waiting at once."
    )
    max_requests: int = Field(
        default=500, gt=0, description="Requests that one API process has under way at once."
    )
    api_stop_seconds: int = Field(
        default=20, ge=0, description="How long an API process that is told to stop goes on."
    )
    worker_stop_seconds: float = Field(
        default=20,
        ge=0,
        description="How long a worker that is told to stop goes on with what it has begun.",
    )
    max_process_bytes: int = Field(
        default=4 * 1024**3,
        ge=16 * 1024**2,
        description="Most memory that one file may take of a process that reads or analyses it.",
    )
    max_tokens: int = Field(default=5_000, gt=0, description="Words and signs of an operation.")
    max_depth: int = Field(default=20, gt=0, description="Fields within fields of an operation.")
    max_aliases: int = Field(default=50, ge=0, description="Aliases of an operation.")
    max_root_fields: int = Field(default=20, gt=0, description="Root fields of an operation.")
    max_cost: int = Field(default=10_000, gt=0, description="Points that one operation may cost.")
    rate_limit: int = Field(
        default=60_000_000,
        ge=0,
        lt=2**31,
        description="Points that a user may spend in a minute; 0 does not count them. 200,000 "
        "where sign-in is required.",
    )
    request_limit: int = Field(
        default=0, ge=0, description="Requests of a user in a minute. 1,200 with sign-in."
    )
    address_rate_limit: int = Field(
        default=0, ge=0, lt=2**31, description="As rate_limit, of an address. 600,000 with sign-in."
    )
    address_request_limit: int = Field(
        default=0, ge=0, description="Requests from an address in a minute. 3,600 with sign-in."
    )
    live_limit: int = Field(
        default=0, ge=0, description="Live subscriptions of a user at once. 100 with sign-in."
    )
    quota_files: int = Field(
        default=0, ge=0, description="Files of a user; 0 is no limit. 50,000 with sign-in."
    )
    quota_bytes: int = Field(
        default=0, ge=0, description="Bytes of a user's files together. 50 GiB with sign-in."
    )
    quota_seconds: int = Field(
        default=0, ge=0, description="Seconds that they sound together. 1,000,000 with sign-in."
    )
    trusted_documents: Path | None = Field(
        default=None,
        description="The only operations to run: a JSON file of them, from the client's build.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Other sites whose pages may use the API, with commas between them, "
        "e.g. https://app.example.com,http://localhost:5173; * is every site.",
    )
    unsaved_wait_seconds: float = Field(
        default=30, gt=0, description="How long a search waits for the analysis of its own sound."
    )

    drain_seconds: float = Field(
        default=0,
        ge=0,
        description="How long an API process that is told to stop goes on answering, while "
        "/health/ready says that it leaves: as long as a proxy needs to notice. Before "
        "api_stop_seconds.",
    )
    openai_api_key: str = Field(default="", description="With it, OpenAI is asked.")
    openai_url: str = Field(
        default="",
        description="Another server that speaks OpenAI's Chat Completions, which needs no key: "
        "http://127.0.0.1:11434/v1 is an Ollama on this machine.",
    )
    openai_model: str = Field(default="gpt-4o-mini", description="Which of its models is asked.")
    openai_hears: bool | None = Field(
        default=None,
        description="Whether that model hears; where it is empty, one with audio in its name does.",
    )
    gemini_api_key: str = Field(default="", description="With it, Gemini is asked.")
    gemini_url: str = Field(
        default="", description="Where Gemini is reached, if not at Google's own address."
    )
    gemini_model: str = Field(
        default="gemini-2.5-flash", description="Which of its models is asked."
    )
    ai_provider: AiProviderName = Field(
        default=AiProviderName.OPENAI, description="OPENAI or GEMINI: who is asked first."
    )
    ai_send_sound: bool = Field(
        default=True, description="Whether models that hear get a part of the sound itself."
    )
    ai_sound_seconds: float = Field(
        default=20, gt=0, le=120, description="How much of a sound they get at most."
    )
    ai_seconds: float = Field(
        default=60, gt=0, le=120, description="How long one answer is waited for."
    )
    ai_search_seconds: float = Field(
        default=4,
        gt=0,
        le=30,
        description="How long a search in words waits for an AI before its own rules do.",
    )
    ai_concurrency: int = Field(
        default=8, gt=0, le=200, description="Questions that one process asks at once."
    )
    ai_break_seconds: float = Field(
        default=30, ge=1, description="How long a provider that keeps failing is left alone."
    )
    ai_daily_tokens: int = Field(
        default=0,
        ge=0,
        description="Tokens that one user's questions may take in a day; 0 is no limit. 500,000 "
        "with sign-in.",
    )
    ai_daily_usd: float = Field(
        default=0, ge=0, description="The same in US dollars, of models whose price is known."
    )
    ai_prices: dict[str, tuple[float, float] | tuple[float, float, float]] = Field(
        default={},
        description="Dollars for a million tokens that a model reads, writes and hears, as JSON: "
        '{"my-model": [0.15, 0.6, 1]}.',
    )
    metrics_host: str = Field(
        default="127.0.0.1", description="Address that Prometheus asks for the metrics."
    )
    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port of the metrics, of an API process or a worker; 0 is none. With `serve` "
        "it is the API's, the next one is the worker's, and the one after of who asks an AI.",
    )
    smtp_url: str = Field(
        default="",
        description="Where mail is sent by, e.g. smtps://name:password@mail.example.org or "
        "smtp://localhost; no mail is sent where it is empty.",
    )
    mail_from: str = Field(
        default="", description="Who mail is from, e.g. SampleMind <sounds@example.org>."
    )
    webhook_private_addresses: bool = Field(
        default=True,
        description="Whether webhooks may go to addresses that are not public, and by http. Not "
        "where sign-in is required.",
    )
    delivery_attempts: int = Field(
        default=8, gt=0, description="Attempts at a webhook or a mail, then it is given up."
    )
    delivery_timeout_seconds: float = Field(
        default=10, gt=0, le=50, description="How long a webhook or a mail server has to answer."
    )
    delivery_wait_seconds: float = Field(
        default=10, gt=0, description="From the first attempt to the second; then four times it."
    )

    log_json: bool = Field(default=False, description="Logs as JSON lines.")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @property
    def asks_ai(self) -> bool:
        """Whether an AI provider is configured."""
        return bool(self.openai_api_key or self.openai_url or self.gemini_api_key)

    @property
    def sound_limits(self) -> SoundLimits:
        return SoundLimits(
            seconds=self.max_audio_seconds,
            channels=self.max_channels,
            lowest_rate=self.min_sample_rate,
            highest_rate=self.max_sample_rate,
            decoded_bytes=self.max_decoded_bytes,
        )

    @model_validator(mode="after")
    def _limit_strangers(self) -> Self:
        """Who lets many in has to hold them to something."""
        if self.auth_required:
            for name, limit in _WITH_SIGN_IN.items():
                if name not in self.model_fields_set:
                    setattr(self, name, limit)
        return self

    @model_validator(mode="after")
    def _mail(self) -> Self:
        parts = urlsplit(self.smtp_url)
        if self.smtp_url and not (parts.scheme in ("smtp", "smtps") and parts.hostname):
            raise ValueError(
                "SAMPLEMIND_SMTP_URL looks like smtps://name:password@mail.example.org"
            )
        if self.smtp_url and "@" not in self.mail_from:
            raise ValueError("SAMPLEMIND_SMTP_URL takes SAMPLEMIND_MAIL_FROM: who mail is from")
        return self

    @field_validator("former_secrets", mode="before")
    @classmethod
    def _former_secrets(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(item.strip() for item in value.split(",") if item.strip())

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(_origin(item.strip()) for item in value.split(",") if item.strip())


def _origin(text: str) -> str:
    """As browsers write it: nothing behind the port, no port that goes without saying."""
    if text == "*":
        return text
    parts = urlsplit(text.lower())
    if not (parts.scheme and parts.hostname) or parts.path.strip("/") or parts.query:
        raise ValueError(f"{text!r} is not an origin, which looks like https://app.example.com")
    default = {"http": ":80", "https": ":443"}.get(parts.scheme, ":")
    return f"{parts.scheme}://{parts.netloc.removesuffix(default)}"


@lru_cache
def get_settings() -> Settings:
    return Settings()
