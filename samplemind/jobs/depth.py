"""How much work waits in the queues."""

from redis.asyncio import Redis

from samplemind.jobs.app import app


async def queue_depths(redis: Redis) -> dict[str, int]:
    """The tasks of each queue that no worker has taken yet."""
    names = [queue.name for queue in app.conf.task_queues]
    async with redis.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.llen(name)
        return dict(zip(names, await pipe.execute(), strict=True))
