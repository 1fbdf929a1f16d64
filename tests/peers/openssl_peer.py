"""The openssl program: the chain that the proxy serves verifies against the local CA."""

import re
import subprocess

from harness import expect

SECONDS = 120


def verify(address, ca, name=None, ip=None):
    """Connects with or without SNI and fails unless the chain and the name verify."""
    who = ["-servername", name, "-verify_hostname", name] if name else ["-noservername", "-verify_ip", ip]
    said = _s_client(address, "-CAfile", ca, *who)
    expect("Verify return code: 0 (ok)" in said, "openssl verifies the chain", said[-1500:])
    expect("Protocol  : TLSv1.3" in said or "New, TLSv1.3" in said, "TLS 1.3 is spoken", said[-1500:])


def refuse_without_ca(address):
    """Without the CA the same chain must not verify: 19 to 21 say that no issuer is trusted."""
    said = _s_client(address, "-no-CAfile", "-no-CApath", "-servername", "localhost", check=False)
    expect(re.search(r"Verify return code: (19|20|21) ", said), "openssl does not trust the chain", said[-600:])


def speaks_tls12(address, ca):
    said = _s_client(address, "-CAfile", ca, "-tls1_2", "-servername", "localhost", "-verify_hostname", "localhost")
    expect("Verify return code: 0 (ok)" in said, "openssl verifies the chain over TLS 1.2", said[-1500:])


def _s_client(address, *args, check=True):
    strict = ["-verify_return_error"] if check else []
    command = ["openssl", "s_client", "-connect", address, *strict, *args]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=SECONDS)
    said = (done.stdout + done.stderr).decode(errors="replace")
    expect(not check or done.returncode == 0, f"openssl s_client ends with 0, not {done.returncode}", said[-1500:])
    return said
