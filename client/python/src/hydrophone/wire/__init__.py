"""What comes over the wire: streams of messages, put together into arrays and checked. Nothing here knows gRPC."""
