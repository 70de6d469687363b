"""What comes back, as a person reads it. Nothing here calls a server."""
