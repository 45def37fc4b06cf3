"""Everything that is stored, in a folder or a bucket, and back."""
