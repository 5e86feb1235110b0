"""A ledger of its own for an end-to-end test: made in a new folder, served on a free port, stopped
by its process id."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile


class Ledger:
    def __init__(self, cairn, name="court", options=()):
        self.cairn = str(pathlib.Path(cairn).resolve())
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="cairn-test-"))
        self.environment = {key: value for key, value in os.environ.items()
                            if key not in ("CAIRN_SERVER", "http_proxy", "HTTP_PROXY")}
        self.server = None
        self.ok("init", name, "--name", name, *options)
        self.folder = self.dir / name
        self.trust = self.folder / (name + ".trust")
        self.operator = self.folder / "operator.key"
        self.start()

    def start(self, *options):
        self.server = subprocess.Popen([self.cairn, "run", self.folder, "--listen", "127.0.0.1:0",
                                        *map(str, options)], stdout=subprocess.PIPE, text=True)
        line = self.server.stdout.readline()
        self.url = re.fullmatch(r"listening on (http://localhost:\d+)\n", line).group(1)
        self.environment["CAIRN_SERVER"] = self.url

    def stop(self):
        self.server.terminate()
        status = self.server.wait(timeout=60)
        self.server.stdout.close()
        self.server = None
        assert status == 0, "cairn run ended with %d" % status

    def close(self):
        if self.server:
            self.stop()
        shutil.rmtree(self.dir)

    def run(self, *arguments, stdin=None):
        """Runs the program in the test's folder, whatever comes of it."""
        return subprocess.run([self.cairn, *map(str, arguments)], cwd=self.dir, input=stdin,
                              capture_output=True, timeout=300, check=False,
                              env=self.environment)

    def ok(self, *arguments, stdin=None):
        """Runs the program, which must succeed; returns its output as text."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, (arguments, done.returncode, done.stderr.decode())
        return done.stdout.decode()

    def json(self, *arguments):
        return json.loads(self.ok(*arguments, "--json"))

    def fails(self, status, words, *arguments, stdin=None):
        """Runs the program, which must end with this status and one line that has these words."""
        done = self.run(*arguments, stdin=stdin)
        error = done.stderr.decode()
        assert done.returncode == status, (arguments, done.returncode, error)
        assert error.startswith("error: ") and error.count("\n") == 1, (arguments, error)
        assert words in error, (arguments, words, error)

    def write(self, name, content):
        path = self.dir / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return name

    def request(self, member, *options, key=None):
        key = key or member + ".key"
        if not (self.dir / key).exists():
            self.ok("key", "new", key, *options)
        self.ok("key", "request", key, "--member", member, "--for", self.trust, "--out",
                key + ".req")
        return key + ".req"

    def member(self, name, role="depositor", alg="ed25519"):
        """Registers a new member; returns its key file."""
        request = self.request(name, "--alg", alg)
        self.ok("member", "add", name, "--request", request, "--role", role, "--key",
                self.operator)
        return name + ".key"

    def verify(self, file, proof):
        return self.run("verify", file, "--proof", proof, "--trust", self.trust).returncode
