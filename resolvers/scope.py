"""Who asks, and with what."""

from dataclasses import dataclass, field, replace
from functools import cached_property

from loaders import Loaders
from samplemind.auth.callers import Caller
from samplemind.domain.errors import Unauthenticated
from samplemind.domain.user import User
from samplemind.metrics import OK, OTHER
from samplemind.parts import Parts


@dataclass
class Scope:
    """One operation's view: the caller, the parts, and loaders that live as long as it does.

    `viewer` is None for an anonymous caller. `base_url` is where the caller reaches the API,
    without a path: https://sounds.example.org.
    """

    parts: Parts
    viewer: User | None
    base_url: str = ""
    caller: Caller = field(default_factory=Caller)
    cost: int = 0  # of this operation, in points
    operation: str = OTHER  # what metrics and traces call it
    is_subscription: bool = False
    outcome: str = OK  # the code of its first error

    @cached_property
    def loaders(self) -> Loaders:
        return Loaders(self.parts.store, self.parts.vectors, self.parts.cache, self.owner_id)

    @property
    def user(self) -> User:
        """The caller. Raises Unauthenticated, or what was wrong with what the caller showed."""
        if self.viewer is None:
            raise self.caller.refusal or Unauthenticated("Sign in first: see logIn.")
        return self.viewer

    @property
    def owner_id(self) -> str:
        """Whose rows the caller may read and write. Raises as `user` does."""
        return self.user.id

    def for_operation(self) -> "Scope":
        """The same caller with fresh loaders."""
        return replace(self, cost=0, operation=OTHER, is_subscription=False, outcome=OK)

    def forget(self) -> None:
        """Drops what the loaders have read: what follows is read anew."""
        self.__dict__.pop("loaders", None)
