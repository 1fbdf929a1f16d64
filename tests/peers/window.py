"""The desktop app in a real window under Xvfb: it appears, shows the demo's life, and ends cleanly.

Run by `.ci/run`; by hand: `python window.py --bin-dir target/debug [--screenshot FILE]`.
"""

import argparse
import contextlib
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from capture import Capture
from harness import Framescope, Process, Score, expect

SIZE = "1400x900x24"
SECONDS = 180
# A blank window has one colour; text alone, smoothed, has hundreds.
COLOURS_MIN = 150


def tool(*args, env):
    """What a program prints, or None when it fails: then it is asked again."""
    done = subprocess.run(args, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
    return done.stdout.strip() if done.returncode == 0 else None


def until(what, look):
    """Calls `look` until it gives something true; returns that."""
    deadline = time.monotonic() + SECONDS
    while not (seen := look()):
        expect(time.monotonic() < deadline, f"within {SECONDS} s: {what}")
        time.sleep(0.2)
    return seen


@contextlib.contextmanager
def display(work_dir):
    """A display of its own; yields the environment that names it."""
    server = Process(["Xvfb", "-displayfd", "1", "-screen", "0", SIZE, "-nolisten", "tcp"])
    try:
        number = server.wait_for(r"^(\d+)\s*$").group(1)
        foreign = ("WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DBUS_SESSION_BUS_ADDRESS")
        env = {key: value for key, value in os.environ.items() if key not in foreign}
        env |= {"DISPLAY": f":{number}", "HOME": work_dir, "LIBGL_ALWAYS_SOFTWARE": "1",
                "XDG_DATA_HOME": os.path.join(work_dir, "share"), "XDG_CONFIG_HOME": os.path.join(work_dir, "config"),
                "XDG_RUNTIME_DIR": work_dir, "FRAMESCOPE_DATA_DIR": os.path.join(work_dir, "data")}
        yield env
    finally:
        server.stop(signal.SIGTERM)


class Window:
    """The window of the app under test."""

    def __init__(self, env, process):
        self.env, self.process = env, process
        self.id = until("a visible window named Framescope", self._find)

    def _find(self):
        expect(self.process.process.poll() is None, "the app goes on", self.process.text())
        found = tool("xdotool", "search", "--onlyvisible", "--name", "Framescope", env=self.env)
        return found.splitlines()[-1] if found else None

    def title(self):
        return tool("xdotool", "getwindowname", self.id, env=self.env)

    def shoot(self, path):
        """Takes a picture; returns its number of colours and its mean brightness from 0 to 1."""
        expect(self.process.process.poll() is None, "the app goes on", self.process.text())
        if tool("import", "-window", self.id, path, env=self.env) is None:
            return 0, 0.0
        colours, mean = tool("identify", "-format", "%k %[fx:mean]", path, env=self.env).split()
        return int(colours), float(mean)


def pixels_that_differ(one, other, env):
    done = subprocess.run(["compare", "-metric", "AE", one, other, "null:"], env=env, capture_output=True, text=True)
    return int(float(done.stderr.split()[0]))


def examine(args, score, work_dir):
    captures = os.path.join(work_dir, "data", "**", "*.pcapng")
    with display(work_dir) as env:
        process = Process([os.path.join(args.bin_dir, "framescope-gui"), "--listen", "127.0.0.1:0"], env)
        try:
            first, second = (os.path.join(work_dir, name) for name in ("first.png", "second.png"))
            with score.check("a window opens, with its title"):
                window = Window(env, process)
                expect(window.title().startswith("Framescope"), "the title", window.title())
            with score.check("the window is drawn"):
                colours, mean = until("a picture with text in it", lambda: drawn(window.shoot(first)))
                expect(0.01 < mean < 0.99, "neither black nor white", mean)
                print(f"      {colours} colours, mean brightness {mean:.2f}")
            with score.check("the demo's traffic moves in it"):
                def moved():
                    window.shoot(second)
                    return pixels_that_differ(first, second, env) > 500
                until("the picture changes", moved)
            with score.check("the demo clients' frames are in the capture while it is written"):
                def recorded():
                    found = glob.glob(captures, recursive=True)
                    return found and len(read(args, work_dir, found[0]).frames()) > 5
                until("more than five frames", recorded)
            if args.screenshot:
                time.sleep(args.after)
                window.shoot(args.screenshot)
        finally:
            code = process.stop(signal.SIGTERM)
        with score.check("SIGTERM ends it cleanly, with the capture complete"):
            expect(code == 0, "it ends with 0", f"{code}: {process.text()}")
            found = glob.glob(captures, recursive=True)
            expect(len(found) == 1, "it left one capture", found)
            capture = read(args, work_dir, found[0])
            expect(len(capture.frames()) > 5, "the demo clients' frames are in it", len(capture.frames()))
            expect(not capture.of_type("capture_fault"), "the capture is whole")


def read(args, work_dir, capture):
    return Capture(Framescope(args.bin_dir, work_dir).show(capture))


def drawn(picture):
    return picture if picture[0] >= COLOURS_MIN else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin-dir", required=True, help="where the built `framescope-gui` and `framescope` are")
    parser.add_argument("--screenshot", help="also leave a picture of the window here")
    parser.add_argument("--after", type=float, default=0, help="seconds to wait before that picture")
    args = parser.parse_args()
    work_dir = tempfile.mkdtemp(prefix="framescope-window-")
    score = Score()
    try:
        examine(args, score, work_dir)
    finally:
        shutil.rmtree(work_dir, ignore_errors=True)
    print(f"{score.passed} passed, {len(score.failed)} failed")
    return 1 if score.failed else 0


if __name__ == "__main__":
    sys.exit(main())
