"""The real parts that the API and the workers stand on, opened from the settings."""

from dataclasses import dataclass
from typing import Self

from samplemind.ai import Ai
from samplemind.auth.attempts import Attempts
from samplemind.auth.callers import Callers
from samplemind.auth.endings import Endings
from samplemind.auth.sessions import Sessions
from samplemind.auth.tokens import Tokens
from samplemind.blobs import Blobs
from samplemind.cache import Cache
from samplemind.events import Events
from samplemind.links import Links
from samplemind.live import LivePlaces
from samplemind.rate_limit import RateLimits
from samplemind.readers import Readers
from samplemind.settings import Settings
from samplemind.signing import Signer
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
    attempts: Attempts
    tokens: Tokens
    sessions: Sessions
    endings: Endings
    callers: Callers
    live_places: LivePlaces
    ai: Ai

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Needs the address of every part, as `samplemind serve` sets them."""
        cache = Cache(settings.redis_url)
        store = Store(settings.mongo_url, cache)
        events = Events(settings.redis_url)
        signer = Signer(settings.secret, *settings.former_secrets)
        tokens, endings = Tokens(signer), Endings(events)
        return cls(
            settings=settings,
            store=store,
            vectors=Vectors(settings.chroma_url),
            blobs=Blobs(settings.blob_url),
            events=events,
            rate_limits=RateLimits(settings),
            cache=cache,
            links=Links(signer),
            attempts=Attempts(settings),
            tokens=tokens,
            sessions=Sessions(events.redis, endings),
            endings=endings,
            callers=Callers(store, tokens, endings),
            readers=Readers(settings),
            live_places=LivePlaces(events.redis, settings.live_limit),
            ai=Ai(settings, store),
        )

    async def close(self) -> None:
        await self.readers.close()
        await self.callers.close()
        await self.events.close()
        await self.rate_limits.close()
        await self.attempts.close()
        await self.cache.close()
        await self.ai.close()
        self.store.close()
