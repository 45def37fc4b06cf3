"""The documents: MongoDB through Motor. The only place that knows the driver."""

from samplemind.cache import Cache
from samplemind.store.ai_answers import AiAnswers
from samplemind.store.ai_usages import AiUsages
from samplemind.store.analyses import Analyses
from samplemind.store.api_keys import ApiKeys
from samplemind.store.audio_files import AudioFiles
from samplemind.store.audit_events import AuditEvents
from samplemind.store.batch_jobs import BatchJobs
from samplemind.store.database import connect
from samplemind.store.deliveries import Deliveries
from samplemind.store.migrations import Schema
from samplemind.store.places import Places
from samplemind.store.raw import Raw
from samplemind.store.uploads import Uploads
from samplemind.store.usage import Usages
from samplemind.store.users import Users
from samplemind.store.vector_syncs import VectorSyncs
from samplemind.store.webhooks import Webhooks


class Store:
    """All collections over one client."""

    def __init__(self, url: str, cache: Cache) -> None:
        self._client, self._database = connect(url)
        self.audio_files = AudioFiles(self._database, cache)
        self.analyses = Analyses(self._database)
        self.places = Places(self._database)
        self.batch_jobs = BatchJobs(self._database)
        self.users = Users(self._database)
        self.api_keys = ApiKeys(self._database)
        self.audit_events = AuditEvents(self._database)
        self.uploads = Uploads(self._database)
        self.usages = Usages(self._database)
        self.ai_answers = AiAnswers(self._database)
        self.ai_usages = AiUsages(self._database)
        self.vector_syncs = VectorSyncs(self._database)
        self.webhooks = Webhooks(self._database)
        self.deliveries = Deliveries(self._database)
        self.schema = Schema(self._database)
        self.raw = Raw(self._database)

    async def prepare(self) -> None:
        """Brings the documents to the present version and makes the indexes; safe to call at
        every start. Raises SchemaTooNew."""
        await self.schema.migrate()
        await self.audio_files.prepare()
        await self.analyses.prepare()
        await self.places.prepare()
        await self.vector_syncs.prepare()
        await self.batch_jobs.prepare()
        await self.users.prepare()
        await self.api_keys.prepare()
        await self.audit_events.prepare()
        await self.uploads.prepare()
        await self.usages.prepare()
        await self.ai_answers.prepare()
        await self.ai_usages.prepare()
        await self.webhooks.prepare()
        await self.deliveries.prepare()

    async def forget_library(self, owner_id: str) -> None:
        """Removes all rows of sounds and of what was made of them. Work first, so that workers
        begin nothing of it any more."""
        await self.batch_jobs.forget_owner(owner_id)
        await self.analyses.forget_owner(owner_id)
        await self.uploads.forget_owner(owner_id)
        await self.audio_files.forget_owner(owner_id)
        await self.usages.forget_owner(owner_id)
        await self.ai_answers.forget_owner(owner_id)
        await self.ai_usages.forget_owner(owner_id)
        await self.vector_syncs.forget_owner(owner_id)
        await self.webhooks.forget_owner(owner_id)
        await self.deliveries.forget_owner(owner_id)

    async def version(self) -> str:
        """The server's version; raises where it does not answer."""
        return (await self._database.command("buildInfo"))["version"]

    def close(self) -> None:
        self._client.close()
