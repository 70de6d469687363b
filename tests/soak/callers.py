"""The soak's callers: each asks without pause on a thread of its own, and compares every answer with the solo run's."""

import json
import pathlib
import random
import subprocess
import threading
import time

import answers
import grpc
from conftest import messages_of
from google.protobuf import json_format

SERVICE = "hydrophone.v1.ActivationService"
CALL_SECONDS = 120


class Unavailable(Exception):
    """The call did not reach a server, or its server ended."""


class Tally:
    """What became of one caller's calls."""

    def __init__(self):
        self.compared = self.different = self.left = self.restarted = 0
        self.seconds = []


class Caller(threading.Thread):
    """`stage`: the server, and when it was restarted; `expected`: the solo run's answers by question's name."""

    kind = ""

    def __init__(self, stage, questions, seed):
        super().__init__(daemon=True)
        self.stage, self.questions, self.tally = stage, questions, Tally()
        self.random = random.Random(seed)
        self.expected = {}

    def ask(self, question):
        """The answer's parts; raises Unavailable."""
        raise NotImplementedError

    def close(self):
        """Lets go of its connection."""

    def learn(self):
        """The solo run: asks everything twice, alone."""
        for question in self.questions:
            self.expected[question.name] = self.ask(question)
            again = answers.differences(self.ask(question), self.expected[question.name])
            if again:
                self.stage.find(f"{self.kind}: {question.name}: not the same when asked twice alone: {again[0]}")

    def run(self):
        while not self.stage.over.is_set():
            try:
                self.turn(self.random.choice(self.questions))
            except Exception as error:  # a caller that stops without a word would be taken for one that is content
                self.stage.find(f"{self.kind}: {type(error).__name__}: {error}")

    def turn(self, question):
        begun = time.monotonic()
        try:
            answer = self.ask(question)
        except Unavailable as error:
            self.lost(question, begun, error)
            return
        self.tally.seconds.append(time.monotonic() - begun)
        self.compare(question, answer)

    def compare(self, question, answer, whole=True):
        self.tally.compared += 1
        found = answers.differences(answer, self.expected[question.name], whole)
        if found:
            self.tally.different += 1
            self.stage.find(f"{self.kind}: {question.name}: {'; '.join(found[:3])}")

    def lost(self, question, begun, error):
        """Right while the server was being restarted, and at no other time."""
        if self.stage.was_restarted_since(begun):
            self.tally.restarted += 1
        else:
            self.stage.find(f"{self.kind}: {question.name}: {error}")
        self.stage.over.wait(0.1)


class GrpcioCaller(Caller):
    kind = "grpcio"

    def __init__(self, stage, questions, seed, pb):
        super().__init__(stage, questions, seed)
        self._pb = pb
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_reconnect_backoff_ms", 500)]
        self._channel = grpc.insecure_channel(stage.address, options=options)

    def call(self, question, timeout=CALL_SECONDS):
        """The messages of an answer, as they come."""
        response = getattr(self._pb, f"{question.method}Response")
        make = self._channel.unary_stream if question.streams else self._channel.unary_unary
        method = make(f"/{SERVICE}/{question.method}", None, response.FromString)
        return method(question.body, timeout=timeout) if question.streams else iter([method(question.body, timeout)])

    def parts(self, question, messages):
        if question.streams:
            return answers.of_stream(messages)
        return {"message": next(iter(messages)).SerializeToString(deterministic=True)}

    def ask(self, question):
        try:
            return self.parts(question, self.read(self.call(question)))
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAVAILABLE:
                raise Unavailable(error.details()) from None
            details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
            return answers.of_status(error.code().name, error.details() or "", details)

    def read(self, messages):
        return list(messages)

    def close(self):
        self._channel.close()


class MalformedCaller(GrpcioCaller):
    """With a pause after each: refusals are so cheap that the others would hardly have a turn."""

    kind = "malformed"
    PAUSE_SECONDS = 0.02

    def turn(self, question):
        super().turn(question)
        self.stage.over.wait(self.PAUSE_SECONDS)


class SlowReader(GrpcioCaller):
    """Lets its answers wait, message by message, but for the solo run's."""

    kind = "slow reader"
    PAUSE_SECONDS = 0.5

    def read(self, messages):
        read = []
        for message in messages:
            read.append(message)
            if self.is_alive():
                self.stage.over.wait(self.random.uniform(0, self.PAUSE_SECONDS))
        return read


class LeavingCaller(GrpcioCaller):
    """Cancels, or has little time; what it got until then is the beginning of the solo run's answer."""

    kind = "leaving"
    EXPECTED = (grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED)

    def turn(self, question):
        begun = time.monotonic()
        hurry = self.random.random() < 0.5
        read, enough = [], self.random.randint(0, 4)
        try:
            stream = self.call(question, timeout=self.random.uniform(0.001, 0.1) if hurry else CALL_SECONDS)
            for message in stream:
                read.append(message)
                if not hurry and len(read) > enough:
                    stream.cancel()
            return self.compare(question, self.parts(question, read))
        except grpc.RpcError as error:
            if error.code() not in self.EXPECTED:
                return self.lost(question, begun, f"{error.code().name}: {error.details()}")
        self.tally.left += 1
        return self.compare(question, self.parts(question, read), whole=False)


class ProgramCaller(Caller):
    """The C++ client, as the program that writes files."""

    kind = "C++ client"

    def __init__(self, stage, questions, seed, program, directory):
        super().__init__(stage, questions, seed)
        self._program, self._out = program, pathlib.Path(directory) / "out.safetensors"
        self._requests = {}
        for number, question in enumerate(questions):
            self._requests[question.name] = pathlib.Path(directory) / f"{number}.json"
            self._requests[question.name].write_text(json_format.MessageToJson(question.message))

    def ask(self, question):
        command = [self._program, "--server", self.stage.address, "--timeout", str(CALL_SECONDS), "extract"]
        command += ["--request", self._requests[question.name], "--out", self._out, "--force"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=2 * CALL_SECONDS)
        if "UNAVAILABLE" in done.stderr:
            raise Unavailable(done.stderr)
        if done.returncode != 0:
            return answers.of_status(str(done.returncode), done.stderr)
        return {"file": self._out.read_bytes()}


class GrpcurlCaller(Caller):
    kind = "grpcurl"

    def __init__(self, stage, questions, seed, program):
        super().__init__(stage, questions, seed)
        self._program = program

    def ask(self, question):
        request = json.dumps(json_format.MessageToDict(question.message))
        command = [
            self._program,
            "-plaintext",
            "-max-time",
            str(CALL_SECONDS),
            "-max-msg-sz",
            str(64 << 20),
            "-d",
            request,
        ]
        command += [self.stage.address, f"{SERVICE}/{question.method}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=2 * CALL_SECONDS)
        if done.returncode != 0:
            if any(text in done.stderr for text in ("Unavailable", "Failed to dial", "connection refused")):
                raise Unavailable(done.stderr)
            return answers.of_status(str(done.returncode), done.stderr)
        if not done.stdout.strip():
            # grpcurl forgets the status of a call that found no connection, and reports success without an answer.
            raise Unavailable("no answer")
        return answers.of_json(messages_of(done.stdout))
