"""What a caller asks, in Python's words, and the messages that say it to the server."""
