"""Certificates for the upstream servers of the tests, made with the openssl program."""

import os
import ssl
import subprocess


class Authority:
    """An authority of our own with one leaf for localhost and 127.0.0.1."""

    def __init__(self, work_dir):
        self.dir = os.path.join(work_dir, "upstream-tls")
        os.makedirs(self.dir)
        self.ca, self.cert, self.key = (self._path(name) for name in ("ca.pem", "leaf.pem", "leaf.key"))
        ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        self._openssl("req", "-x509", *ec, "-keyout", self._path("ca.key"), "-out", self.ca,
                      "-subj", "/CN=Upstream test authority", "-addext", "keyUsage=critical,keyCertSign")
        self._openssl("req", "-x509", *ec, "-keyout", self.key, "-out", self.cert, "-subj", "/CN=localhost",
                      "-CA", self.ca, "-CAkey", self._path("ca.key"),
                      "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth",
                      "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")

    def _path(self, name):
        return os.path.join(self.dir, name)

    def _openssl(self, *args):
        subprocess.run(["openssl", *args], check=True, capture_output=True, stdin=subprocess.DEVNULL)

    def server_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        return context
