"""Certificates for the tests, made with openssl: an authority, and what it signs."""

import hashlib
import os
import pathlib
import subprocess


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    """An authority of its own, whose files lie in `directory`."""

    def __init__(self, directory, name="authority"):
        self.directory = pathlib.Path(directory)
        self.certificate = self.directory / f"{name}.crt"
        self.key = self.directory / f"{name}.key"
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key]
        openssl("req", "-x509", *new_key, "-out", self.certificate, "-days", "2", "-subj", f"/CN={name}")

    def issue(self, name, hosts="DNS:localhost,IP:127.0.0.1"):
        """The paths of a new certificate for these hosts, and of its key."""
        request, certificate, key = (self.directory / f"{name}.{kind}" for kind in ("csr", "crt", "key"))
        extensions = self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={hosts}\n")
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]
        openssl("req", *new_key, "-out", request, "-subj", f"/CN={name}")
        signed_by = ["-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-days", "2"]
        openssl("x509", "-req", "-in", request, *signed_by, "-extfile", extensions, "-out", certificate)
        return certificate, key


def replace(path, text):
    """Writes a file as an operator should: whole, under its name at once."""
    path = pathlib.Path(path)
    next_path = path.with_suffix(".next")
    next_path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.replace(next_path, path)


def digest_line(token, name, **settings):
    """A line of a server's file of tokens."""
    pairs = {"sha256": hashlib.sha256(token.encode()).hexdigest(), "name": name, **settings}
    return " ".join(f"{key}={value}" for key, value in pairs.items()) + "\n"
