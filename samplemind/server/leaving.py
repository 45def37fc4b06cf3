"""An API process that is told to stop leaves in two steps, so that no request meets a closed door.

First it says by /health/ready that it is leaving, and goes on answering for as long as a proxy
needs to notice. Then it takes nothing new, finishes what is under way for a while, and ends.
"""

import asyncio
import socket

import uvicorn
from fastapi import FastAPI

from samplemind.settings import Settings


class Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, app: FastAPI, settings: Settings) -> None:
        super().__init__(config)
        self._app, self._seconds = app, settings.drain_seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.leaving = True
        await asyncio.sleep(self._seconds)
        await super().shutdown(sockets)
