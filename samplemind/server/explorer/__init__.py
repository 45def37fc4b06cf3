"""GraphiQL in the browser, from files in the package: no network but this server is needed.

`npm ci && npm run check && npm run build` in this folder builds `dist/` from `src/`. It is
committed, so that installing and running take no Node.
"""

import json
from html import escape
from pathlib import Path

ASSETS = Path(__file__).parent / "dist"
"""The built files, to be served under `ASSETS_PATH`. Their names carry a hash of their content,
so they may be cached for good; `manifest.json` alone may change and is not for browsers."""

ASSETS_PATH = "/explorer"

# The editor writes styles into the page, and has its font and its pictures in them.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data:; media-src 'self' blob:; worker-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page(graphql_path: str) -> str:
    """The HTML page of the explorer for the GraphQL endpoint at `graphql_path` of this server.

    It has no inline script. To be sent with `CONTENT_SECURITY_POLICY`.
    """
    built = json.loads((ASSETS / "manifest.json").read_bytes())
    script, style, favicon = (
        f"{ASSETS_PATH}/{built[part]}" for part in ("script", "style", "favicon")
    )
    return f"""<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>SampleMind</title>
    <link rel="icon" type="image/svg+xml" href="{favicon}">
    <link rel="stylesheet" href="{style}">
    <script type="module" src="{script}"></script>
  </head>
  <body>
    <div id="explorer" data-graphql="{escape(graphql_path)}"></div>
    <noscript>The explorer needs JavaScript.</noscript>
  </body>
</html>
"""
