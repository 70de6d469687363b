"""How calls reach a server: addresses, credentials, channels, and two drivers of one set of operations."""
