"""The real parts that the API and the workers stand on, opened from the settings."""

from dataclasses import dataclass
from typing import Self

from samplemind.blobs import Blobs
from samplemind.cache import Cache
from samplemind.events import Events
from samplemind.links import Links
from samplemind.rate_limit import RateLimits
from samplemind.readers import Readers
from samplemind.settings import Settings
from samplemind.store import Store
from samplemind.vectors import Vectors


@dataclass(frozen=True, slots=True)
class Parts:
    """Opening connects to nothing yet: each part connects when it is first used."""

    settings: Settings
    store: Store
    vectors: Vectors
    blobs: Blobs
    events: Events
    rate_limits: RateLimits
    cache: Cache
    links: Links
    readers: Readers

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Needs the address of every part, as `samplemind serve` sets them."""
        cache = Cache(settings.redis_url)
        return cls(
            settings=settings,
            store=Store(settings.mongo_url, cache),
            vectors=Vectors(settings.chroma_url),
            blobs=Blobs(settings.blob_url),
            events=Events(settings.redis_url),
            rate_limits=RateLimits(settings.redis_url, settings.rate_limit),
            cache=cache,
            links=Links(settings.secret),
            readers=Readers(settings),
        )

    async def close(self) -> None:
        await self.readers.close()
        await self.events.close()
        await self.rate_limits.close()
        await self.cache.close()
        self.store.close()
