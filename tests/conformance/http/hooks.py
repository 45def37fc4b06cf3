"""Strategies for the scalars that schemathesis does not know."""

# It is in an environment of its own.
# pyright: reportMissingImports=false

import schemathesis
from hypothesis import strategies as st
from schemathesis.graphql import nodes

# A file can only come by a multipart request; here are all the things that are none.
schemathesis.graphql.scalar("Upload", st.text().map(nodes.String))
