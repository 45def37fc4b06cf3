"""What a sound is: decoding and analysis. Arrays in, domain values out.

Importing this package costs nothing; its modules bring in numpy, scipy and the decoders.
"""

ENGINE_VERSION = "7"
"""Changes whenever an analysis of the same bytes may answer differently."""

EMBEDDING_DIMENSIONS = 289
"""Length of `Findings.embedding`."""
