"""A certificate authority of the tests' own, made by openssl."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """Signs certificates. `bundle` is the file that whoever trusts it names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.bundle, self._key = folder / "authority.pem", folder / "authority.key"
        extensions = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
        _openssl("req", "-x509", *KEY, "-days", "2", "-subj", "/CN=tests", *extensions, *self._out("authority"))

    def serves(self, *names: str) -> ssl.SSLContext:
        """What a server with a certificate for these names, or addresses, speaks."""
        name = names[0]
        _openssl("req", "-new", *KEY, "-subj", f"/CN={name}", *self._out(name, ending="csr"))
        listed = ",".join(f"{'IP' if one[0].isdigit() else 'DNS'}:{one}" for one in names)
        wanted = self._folder / f"{name}.cnf"
        wanted.write_text(f"subjectAltName={listed}\n")
        made = ("-in", self._folder / f"{name}.csr", "-out", self._folder / f"{name}.pem", "-extfile", wanted)
        signed = ("-CA", self.bundle, "-CAkey", self._key, "-CAcreateserial", "-days", "2")
        _openssl("x509", "-req", *signed, *made)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        return context

    def _out(self, name: str, ending: str = "pem") -> tuple[object, ...]:
        return ("-keyout", self._folder / f"{name}.key", "-out", self._folder / f"{name}.{ending}")


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
