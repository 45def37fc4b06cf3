"""Configuration, from SAMPLEMIND_* in the environment. Every setting has a working default."""

from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


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

    workers: int = Field(default=0, ge=0, description="Analysis processes; 0 is one a core.")
    max_upload_bytes: int = Field(default=2 * 1024**3, gt=0, description="Largest file accepted.")
    log_json: bool = Field(default=False, description="Logs as JSON lines.")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")


@lru_cache
def get_settings() -> Settings:
    return Settings()
