"""What every resolver of the schema is given."""

import strawberry

from resolvers.scope import Scope

Info = strawberry.Info[Scope, None]
