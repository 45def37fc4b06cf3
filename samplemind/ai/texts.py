"""Texts that a model wrote, before people see them.

A model may repeat what a stranger wrote into a file. So texts are bounded, and hold nothing that a
page would turn into a link, an image or markup.
"""

import re
import unicodedata

# What hides or turns around text: controls, formats (zero width, direction, tags), private use.
_UNSEEN = ("Cc", "Cf", "Co", "Cs", "Cn")

_SMUGGLED = re.compile(
    r"""
      \b[a-z][a-z0-9+.-]*:// | \b(?:javascript|mailto|vbscript): | \bdata:[a-z]+/ | \bwww\.
    | \b[a-z0-9-]+\.(?:com|net|org|io|co|ai|app|dev|xyz|info|biz|me|ru|cn|ly|gg|tk|tv|link|click
        |site|online|shop|top|example|test)\b                                       # addresses
    | \S@\S+\.\S                                                                     # mail
    | \]\s*\( | \]\[ | !\[                                                         # Markdown
    | <[a-z/!?] | &(?:\#\w+|[a-z]{2,8}); | ``` | \{\{ | \$\{                         # markup, code
    """,
    re.IGNORECASE | re.VERBOSE,
)

_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def plain(text: str) -> str:
    """On one line, without what cannot be seen."""
    shown = [" " if char.isspace() else char for char in unicodedata.normalize("NFC", text)]
    kept = (char for char in shown if unicodedata.category(char) not in _UNSEEN)
    return " ".join("".join(kept).split())


def is_smuggled(text: str) -> bool:
    """Whether it holds an address or markup; also in letters that only look other than they are."""
    return _SMUGGLED.search(unicodedata.normalize("NFKC", text)) is not None


def sentences(text: str) -> list[str]:
    return _SENTENCE.split(text)
