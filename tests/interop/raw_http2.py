"""Calls as no gRPC library would make them: HTTP/2 frames over a plain connection."""

import contextlib
import socket
import struct

import h2.config
import h2.connection
import h2.events

SERVICE = b"/hydrophone.v1.ActivationService/"


def message(data, flag=0):
    """A message as gRPC frames it; flag 1 says that it is compressed."""
    return bytes([flag]) + struct.pack(">I", len(data)) + data


class Connection:
    """One connection to a server; use as a context manager. What arrives is kept in `events`."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        configuration = h2.config.H2Configuration(header_encoding="utf-8", validate_outbound_headers=False)
        self.http = h2.connection.H2Connection(configuration)
        self.http.initiate_connection()
        self.flush()
        self.events = []
        self.await_event(lambda event: isinstance(event, h2.events.RemoteSettingsChanged))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        self.socket.sendall(self.http.data_to_send())

    def receive(self):
        """Takes what has arrived, or waits for it; false when the server has closed the connection."""
        data = self.socket.recv(65536)
        self.events += self.http.receive_data(data)
        with contextlib.suppress(OSError):
            self.flush()
        return bool(data)

    def await_event(self, wanted):
        """The first event that is wanted, of those that have come or will; None when the connection ends without."""
        seen = 0
        while True:
            for event in self.events[seen:]:
                if wanted(event):
                    return event
            seen = len(self.events)
            if not self.receive():
                return None

    def ping(self):
        self.http.ping(bytes(8))
        self.flush()

    def pings_answered(self):
        return sum(isinstance(event, h2.events.PingAckReceived) for event in self.events)

    def call(self, path, data, headers=(), method=b"POST"):
        """The headers and trailers of the answer to the connection's next call, with these bytes as its body."""
        stream = self.http.get_next_available_stream_id()
        head = [(b":method", method), (b":scheme", b"http"), (b":path", path), (b":authority", b"test")]
        self.http.send_headers(stream, [*head, (b"te", b"trailers"), (b"content-type", b"application/grpc"), *headers])
        while data:
            room = min(self.http.local_flow_control_window(stream), self.http.max_outbound_frame_size, len(data))
            self.http.send_data(stream, data[:room])
            self.flush()
            data = data[room:]
            while data and self.http.local_flow_control_window(stream) == 0:
                self.receive()
        self.http.end_stream(stream)
        self.flush()
        over = (h2.events.StreamEnded, h2.events.StreamReset)
        heads = (h2.events.ResponseReceived, h2.events.TrailersReceived)
        self.await_event(lambda event: isinstance(event, over) and event.stream_id == stream)
        mine = [event for event in self.events if isinstance(event, heads) and event.stream_id == stream]
        return dict(pair for event in mine for pair in event.headers)
