"""Who asks, and with what."""

from dataclasses import dataclass
from functools import cached_property

from loaders import Loaders
from samplemind.domain.user import User
from samplemind.parts import Parts


@dataclass
class Scope:
    """One operation's view: the caller, the parts, and loaders that live as long as it does.

    `base_url` is where the caller reaches the API, without a path: https://sounds.example.org.
    """

    parts: Parts
    viewer: User
    base_url: str = ""
    cost: int = 0  # of this operation, in points

    @cached_property
    def loaders(self) -> Loaders:
        return Loaders(self.parts.store, self.parts.vectors, self.parts.cache, self.viewer.id)

    @property
    def owner_id(self) -> str:
        """Whose rows the caller may read and write."""
        return self.viewer.id

    def for_operation(self) -> "Scope":
        """The same caller with fresh loaders."""
        return Scope(self.parts, self.viewer, self.base_url)

    def forget(self) -> None:
        """Drops what the loaders have read: what follows is read anew."""
        self.__dict__.pop("loaders", None)
