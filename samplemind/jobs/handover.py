"""What goes with a task to the worker from whoever asked for it: the id of the request, which its
log lines have, and the trace."""

import asyncio
import contextvars
from collections.abc import Coroutine
from contextlib import ExitStack
from typing import Any, TypeVar

import structlog
from celery import Task
from celery.signals import before_task_publish, task_postrun, task_prerun

from samplemind import tracing

T = TypeVar("T")

_REQUEST_ID = "request_id"

# Of the task under way: a worker's process has one at a time.
_taken = ExitStack()


@before_task_publish.connect
def _give(headers: dict[str, Any], **_: Any) -> None:
    if request_id := structlog.contextvars.get_contextvars().get(_REQUEST_ID):
        headers[_REQUEST_ID] = request_id
    headers.update(tracing.carrier())


@task_prerun.connect
def _take(task: Task, **_: Any) -> None:
    said = vars(task.request)
    bound = {"task_id": task.request.id}
    if request_id := said.get(_REQUEST_ID):
        bound[_REQUEST_ID] = request_id
    _taken.enter_context(structlog.contextvars.bound_contextvars(**bound))
    carrier = {name: said[name] for name in ("traceparent", "tracestate") if said.get(name)}
    _taken.enter_context(tracing.trace(str(task.name), carrier, "CONSUMER"))


@task_postrun.connect
def _let_go(**_: Any) -> None:
    _taken.close()


class TaskRunner:
    """What it runs sees what is bound to the task, where asyncio's sees what was at its start."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def run(self, coro: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(coro, context=contextvars.copy_context())
