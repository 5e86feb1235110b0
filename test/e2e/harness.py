"""What end-to-end tests share: a ledger in a folder of its own, served on a free port, and cases
that are counted. Every wait is for an event and has an end."""
import http.client
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

LONG = 120  # seconds; ends what hangs, on the slowest machine


def run(*command, env=None, wanted=0, timeout=LONG):
    """Runs a program to its end and demands its exit status; returns what it printed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=timeout, check=False, env=env)
    if wanted is not None and done.returncode != wanted:
        raise AssertionError("%s: exit %d, want %s\n%s%s" % (
            " ".join(str(word) for word in command), done.returncode, wanted, done.stdout,
            done.stderr))
    return done


class Ledger:
    """One ledger folder, and the server that may be running on it."""

    def __init__(self, cairn, folder, name="court"):
        self.cairn = str(cairn)
        self.folder = pathlib.Path(folder)
        self.dir = self.folder / name
        self.name = name
        self.server = None
        self.port = None

    @property
    def trust(self):
        return self.dir / (self.name + ".trust")

    def init(self):
        run(self.cairn, "init", self.dir, "--name", self.name)
        return self

    def launch(self, *options):
        """Starts the server without waiting for it."""
        self.errors = open(self.folder / "server.log", "ab")
        self.server = subprocess.Popen(
            [self.cairn, "run", str(self.dir),
             *([] if "--listen" in options else ["--listen", "127.0.0.1:0"]), *options], stdout=subprocess.PIPE,
            stderr=self.errors)
        return self

    def start(self, *options):
        return self.launch(*options).listening()

    def listening(self):
        """Waits until the server says where it listens."""
        said = b""
        end = time.monotonic() + LONG
        while b"\n" not in said:
            ready = select.select([self.server.stdout], [], [], max(0, end - time.monotonic()))[0]
            part = os.read(self.server.stdout.fileno(), 4096) if ready else b""
            if not part:
                self.kill()
                raise AssertionError("the server did not start: " + self.log()[-2000:])
            said += part
        assert said.startswith(b"listening on http://localhost:"), said
        self.port = int(said.split(b":")[-1])
        return self

    def log(self):
        return (self.folder / "server.log").read_text(errors="replace")

    def end(self, number):
        if self.server is None:
            return None
        self.server.send_signal(number)
        status = self.server.wait(LONG)
        self.server.stdout.close()
        self.errors.close()
        self.server = None
        return status

    def stop(self):
        status = self.end(signal.SIGTERM)
        assert status in (0, None), "the server ended with %s: %s" % (status, self.log()[-4000:])

    def kill(self):
        self.end(signal.SIGKILL)

    def alive(self):
        return self.server.poll() is None

    def memory(self):
        """Resident bytes of the server."""
        with open("/proc/%d/statm" % self.server.pid, encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def memory_top(self):
        """The most bytes that the server ever had resident."""
        with open("/proc/%d/status" % self.server.pid, encoding="ascii") as file:
            top = next(line for line in file if line.startswith("VmHWM:"))
        return int(top.split()[1]) * 1024

    def cli(self, *words, wanted=0, timeout=LONG):
        env = dict(os.environ, CAIRN_SERVER="http://127.0.0.1:%s" % self.port)
        return run(self.cairn, *words, env=env, wanted=wanted, timeout=timeout)

    def member(self, name, role="depositor", alg="ed25519"):
        """Registers a member; returns its key file."""
        key = self.folder / (name + ".key")
        request = self.folder / (name + ".req")
        self.cli("key", "new", key, "--alg", alg)
        self.cli("key", "request", key, "--member", name, "--for", self.trust, "--out", request)
        self.cli("member", "add", name, "--request", request, "--role", role, "--key",
                 self.dir / "operator.key")
        return key

    def session(self, key):
        """Signs in; returns the header that shows it."""
        said = json.loads(self.cli("session", "new", "--key", key, "--json").stdout)
        return {"Authorization": "Bearer " + said["token"]}

    def http(self, method, path, body=None, headers=None):
        """One request; returns status, headers, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONG)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def json(self, path):
        status, _, body = self.http("GET", path)
        assert status == 200, (path, status, body)
        return json.loads(body)

    def health(self):
        status, _, body = self.http("GET", "/healthz")
        return status, json.loads(body)

    def ready(self):
        status, _, body = self.http("GET", "/readyz")
        return status, json.loads(body)

    def height(self):
        return self.json("/v1/ledger")["head"]["height"]


def run_cases(*cases):
    """Runs each case(folder) in a folder of its own; `-k WORD` chooses among them. A folder whose
    case failed is left, and named."""
    words = [sys.argv[i + 1] for i, word in enumerate(sys.argv) if word == "-k"]
    failed = 0
    for case in cases:
        name = case.__name__
        if words and not any(word in name for word in words):
            continue
        folder = tempfile.mkdtemp(prefix="cairn-e2e-")
        started = time.monotonic()
        try:
            case(pathlib.Path(folder))
            print("[       OK ] %s (%.1f s)" % (name, time.monotonic() - started), flush=True)
            shutil.rmtree(folder)
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc()
            print("[  FAILED  ] %s; its folder is %s" % (name, folder), flush=True)
            failed += 1
    if failed:
        print("[  FAILED  ] %d test(s), listed above" % failed)
    sys.exit(1 if failed else 0)
