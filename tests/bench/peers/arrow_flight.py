"""Bytes over Arrow Flight on loopback, from one process to another: THREADS (unused)."""

import multiprocessing

import numpy as np
import pyarrow as pa
from pyarrow import flight

from peers.worker import serve, timed

WIDTH = 768  # floats of one row
BATCH_ROWS = 340  # of one record batch: about a megabyte, as one of our messages
BATCH_BYTES = BATCH_ROWS * WIDTH * 4


class Bytes(flight.FlightServerBase):
    """A ticket is a number of bytes; the stream has rows of 768 floats, as many as make them."""

    def __init__(self):
        super().__init__("grpc://127.0.0.1:0")
        values = np.random.default_rng(0).standard_normal(BATCH_ROWS * WIDTH, dtype=np.float32)
        self._batch = pa.record_batch([pa.FixedSizeListArray.from_arrays(pa.array(values), WIDTH)], ["activations"])

    def do_get(self, context, ticket):
        batches = -(-int(ticket.ticket) // BATCH_BYTES)
        return flight.GeneratorStream(self._batch.schema, (self._batch for _ in range(batches)))


def run_server(ports):
    server = Bytes()
    ports.put(server.port)
    server.serve()


def main():
    spawn = multiprocessing.get_context("spawn")
    ports = spawn.Queue()
    spawn.Process(target=run_server, args=(ports,), daemon=True).start()
    client = flight.connect(f"grpc://127.0.0.1:{ports.get()}")

    def transfer(size):
        def work():
            for _chunk in client.do_get(flight.Ticket(str(size).encode())):
                pass

        return timed(work)

    serve({"transfer": transfer})


if __name__ == "__main__":
    main()
