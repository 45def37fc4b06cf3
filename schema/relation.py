"""Relations: fields that lead from many objects to others with one question."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, get_args

import strawberry
from strawberry.types.field import StrawberryField

from resolvers.scope import Scope
from schema.context import Info

Many = Callable[[Sequence[Any], Scope], Awaitable[Sequence[Any]]]


def relation(
    *, description: str, directives: Sequence[object] = ()
) -> Callable[[Callable[..., Any]], Any]:
    """A field whose resolver answers for many objects at once, in their order.

    It is written as a static method, `async def owner(files, scope) -> list[User | None]`, and the
    field's type is that of the list's items. Where many objects are read together
    (schema/execution.py) it is called once for all of them, else for one.
    """

    def decorate(static: Callable[..., Any]) -> Any:
        many: Many = inspect.unwrap(static)

        async def one(self: Any, info: Info) -> Any:
            return (await many([self], info.context))[0]

        (item,) = get_args(many.__annotations__["return"])
        one.__annotations__ = {"info": Info, "return": item}
        one.__name__, one.__module__ = many.__name__, many.__module__
        field = strawberry.field(one, description=description, directives=directives)
        field.many = many  # pyright: ignore[reportAttributeAccessIssue]
        return field

    return decorate


def many_of(field: StrawberryField) -> Many | None:
    return getattr(field, "many", None)
