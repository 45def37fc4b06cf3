"""SampleMind: a library of sounds that can be searched by how they sound."""

from importlib.metadata import version

__version__ = version("samplemind")
