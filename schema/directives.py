"""What the schema says about the cost of its fields, in the words of IBM's GraphQL cost
specification (https://ibm.github.io/graphql-specs/cost-spec.html), so that other tools read it."""

import strawberry
from strawberry.schema_directive import Location


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="What the field adds to the cost of an operation, in points, besides a point for "
    "each object that it returns.",
)
class Cost:
    weight: str = strawberry.directive_field(name="weight")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="How many items the field returns, as the cost of an operation reckons: as many "
    "as one of `slicingArguments` says (or holds, where it is a list), else `assumedSize`. They "
    "are in the lists that `sizedFields` names, or in the field itself.",
)
class ListSize:
    # In the order of the alphabet, as the schema is written.
    assumed_size: int | None = strawberry.directive_field(name="assumedSize")
    require_one_slicing_argument: bool | None = strawberry.directive_field(
        name="requireOneSlicingArgument", default=strawberry.UNSET
    )
    sized_fields: list[str] | None = strawberry.directive_field(
        name="sizedFields", default=strawberry.UNSET
    )
    slicing_arguments: list[str] | None = strawberry.directive_field(
        name="slicingArguments", default=strawberry.UNSET
    )


def list_size(assumed: int, *slicing_arguments: str, of: str | None = None) -> ListSize:
    """`of` is the list that is sized, where it is not the field itself."""
    return ListSize(
        assumed_size=assumed,
        require_one_slicing_argument=False if slicing_arguments else strawberry.UNSET,
        sized_fields=[of] if of else strawberry.UNSET,
        slicing_arguments=list(slicing_arguments) or strawberry.UNSET,
    )


# To write is dear, to write a file or many rows more so.
CHANGE = [Cost(weight="10")]
LARGE_CHANGE = [Cost(weight="20")]
