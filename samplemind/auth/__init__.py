"""Who asks, and what they may: passwords, tokens, sessions, API keys, permissions."""
