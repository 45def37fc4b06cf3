"""Configuration, from SAMPLEMIND_* in the environment. Every setting has a working default."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from samplemind.domain.sound_limits import SoundLimits

_SOUND = SoundLimits()


class Settings(BaseSettings):
    """A part whose address is empty is started on loopback by `samplemind serve`."""

    model_config = SettingsConfigDict(env_prefix="SAMPLEMIND_", extra="ignore")

    host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    allow_remote: bool = Field(
        default=False,
        description="Serve whoever reaches the port, without sign-in: for a container whose port "
        "is published to this machine alone.",
    )
    port: int = Field(default=8000, ge=0, le=65535, description="Port the API listens on.")
    data_dir: Path = Field(
        default=Path("data"), description="Where the embedded parts keep their data."
    )

    mongo_url: str = Field(default="", description="E.g. mongodb://mongo:27017/samplemind.")
    redis_url: str = Field(default="", description="E.g. redis://redis:6379/0.")
    chroma_url: str = Field(default="", description="E.g. http://chroma:8000.")
    blob_url: str = Field(default="", description="E.g. file:///folder or s3://bucket.")

    secret: str = Field(
        default="",
        description="Signs links; the same for every API process. 32 characters or more. Made in "
        "the data directory where it is empty.",
    )
    public_url: str = Field(
        default="",
        description="Where clients reach the API, e.g. https://sounds.example.org, where a proxy "
        "hides it. Links begin with it.",
    )

    workers: int = Field(default=0, ge=0, description="Analysis processes; 0 is one a core.")
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
        description="Points that a caller may spend in a minute; 0 does not count them.",
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

    log_json: bool = Field(default=False, description="Logs as JSON lines.")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @property
    def sound_limits(self) -> SoundLimits:
        return SoundLimits(
            seconds=self.max_audio_seconds,
            channels=self.max_channels,
            lowest_rate=self.min_sample_rate,
            highest_rate=self.max_sample_rate,
            decoded_bytes=self.max_decoded_bytes,
        )

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
