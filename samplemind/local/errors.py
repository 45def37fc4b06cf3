"""What can go wrong, as a sentence for the person who typed the command."""


class CannotStart(Exception):
    """Its text says what is the matter and what to do; no traceback is needed."""
