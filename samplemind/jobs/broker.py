"""The queue's connection, and the one thing that Celery's own has not: a place that comes back.

A worker fetches as many tasks as it has processes, and another when one is acknowledged. Where
Redis went away meanwhile, that fails, and Celery logs it and goes on. The task then held its place
for good: a worker all of whose processes had been busy fetched nothing ever again. So the place is
free all the same. Redis gives that task out once more after a while, and it is found to be done.
"""

from kombu.transport import TRANSPORT_ALIASES, redis, virtual


class _Acknowledgements(redis.QoS):
    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        except self.channel.connection_errors:
            virtual.QoS.ack(self, delivery_tag)
            raise


class _Channel(redis.Channel):
    QoS = _Acknowledgements


class Transport(redis.Transport):
    Channel = _Channel


def use() -> None:
    """Connections to redis:// and rediss:// are of this kind from now on."""
    for name in ("redis", "rediss"):
        TRANSPORT_ALIASES[name] = f"{__name__}:{Transport.__name__}"
