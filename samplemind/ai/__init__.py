"""AI providers: one file each behind one protocol, and whom to ask."""

from samplemind.ai.prompt import Answer, Prompt
from samplemind.ai.provider import Excerpt
from samplemind.ai.router import Ai

__all__ = ["Ai", "Answer", "Excerpt", "Prompt"]
