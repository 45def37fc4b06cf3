"""What producers say of sounds, and what they mean by it: text in, an understanding out."""
