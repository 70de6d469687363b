"""Our Python client, of the server at an address: THREADS (unused), ADDRESS."""

import asyncio
import sys
import time

import hydrophone as hp
from peers.worker import serve


def first_and_end(stream):
    """When the first capture was complete and when the stream had ended, and the bytes that came in between."""
    first = sent = 0
    for capture in stream:
        if first:
            sent += capture.array.nbytes
        else:
            first = time.perf_counter()
    return {"bytes": sent, "seconds": time.perf_counter() - first}


def options(request):
    """A benchmark's request (workload.py) in the client's words."""
    hooks = [
        hp.hook(each["point"], layers=each.get("layers"), positions=each.get("positions")) for each in request["hooks"]
    ]
    return {"inputs": request["inputs"], "hooks": hooks, "rows": request["rows"]}


async def calls_a_second(address, requests, calls):
    """A caller for each request, which makes `calls` calls one after the other, all of them with one client."""
    async with hp.aio.Client(address, progress=False) as client:

        async def call(request):
            for _ in range(calls):
                await client.extract(**options(request))

        await asyncio.gather(*(client.extract(**options(request)) for request in requests[:1]))
        begun = time.perf_counter()
        await asyncio.gather(*map(call, requests))
        return {"rate": len(requests) * calls / (time.perf_counter() - begun)}


def main():
    address = sys.argv[2]
    client = hp.Client(address, progress=False)

    def stream(request):
        return first_and_end(client.stream(**options(request)))

    def callers(requests, calls):
        return asyncio.run(calls_a_second(address, requests, calls))

    serve({"stream": stream, "callers": callers})


if __name__ == "__main__":
    main()
