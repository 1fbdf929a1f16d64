"""Starts and stops the programs under test, and keeps the score."""

import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import threading
import time
import traceback

ADDRESS = re.compile(r"(127\.0\.0\.1|\[::1\]):(\d+)")
# Far beyond what a slow machine needs: who waits for less only fails earlier.
START_SECONDS = 120
STOP_SECONDS = 60


class Failed(Exception):
    """A check that did not hold; the text says what was seen."""


def expect(holds, what, seen=None):
    """Fails with `what` unless `holds`."""
    if not holds:
        raise Failed(what if seen is None else f"{what}; seen: {str(seen)[:600]}")


def expect_equal(seen, wanted, what):
    """Fails unless both are equal, and shows where they part."""
    if seen == wanted:
        return
    if isinstance(seen, list) and isinstance(wanted, list):
        for place, (left, right) in enumerate(zip(seen, wanted)):
            if left != right:
                raise Failed(f"{what}: entry {place} is {str(left)[:300]}, wanted {str(right)[:300]}")
        raise Failed(f"{what}: {len(seen)} entries, wanted {len(wanted)}")
    raise Failed(f"{what}: {str(seen)[:400]}, wanted {str(wanted)[:400]}")


class Score:
    """Counts checks; each is one line on the terminal."""

    def __init__(self, only=None):
        self.only = only
        self.passed = 0
        self.failed = []

    def wants(self, name):
        return self.only is None or self.only in name

    @contextlib.contextmanager
    def check(self, name):
        began = time.monotonic()
        try:
            yield
        except Exception as fault:  # a peer may fail in any way: that is what is tested
            self.failed.append(name)
            print(f"FAIL  {name}: {fault}", flush=True)
            if not isinstance(fault, Failed):
                traceback.print_exc()
        else:
            self.passed += 1
            print(f"ok    {name}  ({time.monotonic() - began:.1f} s)", flush=True)


class Process:
    """A program whose lines are collected while it runs."""

    def __init__(self, args, env=None, cwd=None):
        self.args = [str(arg) for arg in args]
        self.output = []
        self.lines = queue.Queue()
        self.process = subprocess.Popen(
            self.args, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.output.append(line)
            self.lines.put(line)
        self.lines.put(None)

    def wait_for(self, pattern, seconds=START_SECONDS):
        """The first match of `pattern` in a line it prints."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise Failed(f"{self.name()} did not print {pattern!r}; it printed: {self.text()}")
            if found := re.search(pattern, line):
                return found

    def stop(self, how=signal.SIGINT):
        """Asks it to end, waits, and returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"{self.name()} did not end within {STOP_SECONDS} s; it printed: {self.text()}")
        self.reader.join(STOP_SECONDS)
        return code

    def name(self):
        return " ".join([os.path.basename(self.args[0]), *self.args[1:3]])

    def text(self):
        return "".join(self.output)[-1500:]


class Proxy:
    """A running `framescope proxy` and its capture."""

    def __init__(self, process, host, port, capture):
        self.process, self.host, self.port, self.capture = process, host, port, capture

    def url(self, scheme, path="/", host=None):
        return f"{scheme}://{host or self.host}:{self.port}{path}"


class Framescope:
    """The command line program."""

    def __init__(self, bin_dir, work_dir):
        self.program = os.path.join(bin_dir, "framescope")
        self.work_dir = work_dir
        self.env = {**os.environ, "FRAMESCOPE_DATA_DIR": os.path.join(work_dir, "data"), "NO_COLOR": "1"}
        self.captures = []

    def run(self, *args, check=True):
        """Runs a command to its end; returns what it printed."""
        done = subprocess.run(
            [self.program, *map(str, args)], env=self.env, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120,
        )
        if check and done.returncode != 0:
            raise Failed(f"framescope {args[0]} ended with {done.returncode}: {done.stderr[-800:]}")
        return done.stdout

    def ca_path(self):
        """The local CA's certificate, made on first use."""
        self.run("ca", "show")
        path = self.run("ca", "path").strip().splitlines()[-1]
        expect(os.path.isfile(path), "`framescope ca path` prints the path of a file", path)
        return path

    def show(self, capture, *flags):
        """The lines of `framescope show --json`."""
        return [json.loads(line) for line in self.run("show", capture, "--json", *flags).splitlines()]

    @contextlib.contextmanager
    def proxy(self, name, upstream, *flags):
        """Runs the proxy in front of `upstream` and expects it to end cleanly."""
        capture = os.path.join(self.work_dir, f"{name}.pcapng")
        args = [self.program, "proxy", upstream, "--listen", "127.0.0.1:0", "-w", capture, *flags]
        process = Process(args, self.env)
        try:
            found = process.wait_for(r"(?i)listen.*?" + ADDRESS.pattern)
            self.captures.append(capture)
            yield Proxy(process, found.group(1), int(found.group(2)), capture)
        except BaseException:
            process.stop(signal.SIGKILL)
            print(f"      {process.name()} printed: {process.text()}", flush=True)
            raise
        code = process.stop()
        expect(code == 0, f"{process.name()} ends with 0 on SIGINT", f"{code}: {process.text()}")

    @contextlib.contextmanager
    def demo(self):
        """Runs the demo server; yields its host and port."""
        process = Process([self.program, "demo", "--listen", "127.0.0.1:0"], self.env)
        try:
            found = process.wait_for(ADDRESS.pattern)
            yield found.group(1), int(found.group(2))
        finally:
            code = process.stop()
        expect(code == 0, f"{process.name()} ends with 0 on SIGINT", f"{code}: {process.text()}")
