"""Mutated sounds of every format against what reads and analyses them."""
