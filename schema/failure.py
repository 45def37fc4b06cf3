"""Why something did not succeed, as clients see it."""

import strawberry


@strawberry.type(description="Why something did not succeed.")
class Failure:
    code: str = strawberry.field(description="Stable, for programs.")
    message: str = strawberry.field(description="For people.")
