#!/usr/bin/python3
"""usage: engine.py CAIRN KEEPER

The ordering engine as a child of ours: its version, its configuration, who reaches it, and that it
lives and dies with us. The application is the example that comes with the engine. Finds the engine
in CAIRN_ENGINE, and abci-cli beside it.
"""
import json
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import tomllib

from harness import LONG, run, run_cases

CAIRN, KEEPER = sys.argv[1], sys.argv[2]
ENGINE = pathlib.Path(os.environ["CAIRN_ENGINE"])
SOURCES = pathlib.Path(__file__).resolve().parents[2]
LISTENS = "0A"  # a TCP socket's state in /proc/net


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(what, limit=LONG):
    """The first true answer of `what`, which is asked again and again."""
    end = time.monotonic() + limit
    while True:
        got = what()
        if got:
            return got
        assert time.monotonic() < end, "nothing came of it: " + str(what)
        time.sleep(0.05)


def gone(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


class Kept:
    """An engine with one validator, and its application."""

    def __init__(self, folder):
        self.folder = folder
        self.home = folder / "engine"
        self.home.mkdir(mode=0o700, exist_ok=True)
        self.key = folder / "one.key"
        if not self.key.exists():
            run(CAIRN, "key", "new", self.key)
        self.port = free_port()
        self.log = folder / "log"
        self.app = self.keeper = None

    def start(self):
        (self.home / "abci.sock").unlink(missing_ok=True)
        # In the folder, since a socket's name has to be short.
        self.app = subprocess.Popen(
            [ENGINE.with_name("abci-cli"), "kvstore", "--persist", self.folder / "store",
             "--address", "unix://abci.sock"], cwd=self.home, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        wait_for((self.home / "abci.sock").exists)
        with open(self.log, "ab") as log:
            self.keeper = subprocess.Popen(
                [KEEPER, self.home, ENGINE, str(self.port), self.key], text=True, bufsize=1,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        said = self.keeper.stdout.readline()
        assert said == "prepared\n", said + self.lines()
        return self

    def lines(self):
        return self.log.read_text(errors="replace")

    def ask(self, word):
        self.keeper.stdin.write(word + "\n")
        return json.loads(self.keeper.stdout.readline())

    def ready(self):
        """The status, once it has a block."""
        return wait_for(lambda: (lambda s: s if s["rpc"] == "OK" and s["height"] else None)(
            self.ask("status")))

    def stop(self):
        if self.keeper and self.keeper.poll() is None:
            self.keeper.stdin.write("stop\n")
            assert self.keeper.wait(LONG) == 0
        self.end_app()

    def end_app(self):
        self.app.kill()
        self.app.wait(LONG)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        if kind:
            print(self.lines()[-4000:])
            self.keeper.kill()
            self.keeper.wait(LONG)
            self.end_app()
        else:
            self.stop()


def it_is_the_version_that_is_pinned(_folder):
    said = run("go", "version", "-m", ENGINE).stdout
    wanted = re.search(r"github.com/cometbft/cometbft (v\S+)",
                       (SOURCES / "engine/comet/go.mod").read_text()).group(1)
    assert wanted == "v0.40.0", wanted
    assert re.search(r"\sgithub\.com/cometbft/cometbft\t" + re.escape(wanted) + r"\th1:", said), said


def settings(text):
    """The keys of a TOML text with the kind of their values, "section.key" each."""
    found = {}

    def walk(table, path):
        for name, value in table.items():
            if isinstance(value, dict):
                walk(value, path + name + ".")
            else:
                found[path + name] = type(value)

    walk(tomllib.loads(text), "")
    return found


def every_key_of_its_configuration_is_one_that_it_knows(folder):
    run(ENGINE, "init", "--home", folder / "default", env={"HOME": str(folder)})
    known = settings((folder / "default/config/config.toml").read_text())
    with Kept(folder) as kept:
        ours = settings((kept.home / "config/config.toml").read_text())
    assert len(ours) > 40, ours
    for key, kind in ours.items():
        assert known.get(key) is kind, (key, kind, known.get(key))


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def its_files_are_for_its_user_alone(folder):
    with Kept(folder) as kept:
        kept.ready()
        for name in ("config.toml", "genesis.json", "node_key.json", "priv_validator_key.json"):
            assert mode_of(kept.home / "config" / name) == 0o600, name
        assert mode_of(kept.home / "data") == 0o700
        assert mode_of(kept.home / "rpc.sock") & 0o077 == 0
        secret = json.loads((kept.home / "config/node_key.json").read_text())["priv_key"]["value"]
        assert secret not in kept.lines()


def listening(pid):
    """The TCP addresses at which a process listens, "HEX ADDRESS:HEX PORT"."""
    inodes = set()
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            inodes.add(os.readlink("/proc/%d/fd/%s" % (pid, fd)))
        except FileNotFoundError:
            pass
    found = set()
    for table in ("tcp", "tcp6"):
        with open("/proc/%d/net/%s" % (pid, table), encoding="ascii") as file:
            for line in list(file)[1:]:
                fields = line.split()
                if fields[3] == LISTENS and "socket:[%s]" % fields[9] in inodes:
                    found.add(fields[1])
    return found


def it_listens_at_one_port_and_speaks_over_a_socket(folder):
    with Kept(folder) as kept:
        status = kept.ready()
        assert re.fullmatch("[0-9a-f]{40}", status["id"])
        assert listening(status["pid"]) == {"0100007F:%04X" % kept.port}
        assert kept.ask("send") == {"err": "OK", "code": 0}
        assert kept.ask("again")["err"] == "ERR_EXISTS"
        wait_for(lambda: kept.ask("status")["height"] > status["height"])
        commit = kept.ask("commit")
        assert commit["checked"] == "OK" and commit["later"] == "ERR_NOT_FOUND", commit
        assert kept.ask("peers") == {"err": "OK", "peers": 0}
        consensus = kept.ask("consensus")
        assert consensus["err"] == "OK" and consensus["validators"] == 1, consensus
        assert "event=engine.note" in kept.lines()


def killed_it_is_started_again(folder):
    with Kept(folder) as kept:
        before = kept.ready()
        kept.ask("send")
        os.kill(before["pid"], signal.SIGKILL)
        after = wait_for(lambda: (lambda s: s if s["rpc"] == "OK" and s["restarts"] == 1 else None)(
            kept.ask("status")))
        assert after["pid"] != before["pid"] and "signal 9" in after["problem"], after
        assert "event=engine.ended" in kept.lines()
        wait_for(lambda: kept.ask("send")["err"] == "OK")
        # And where we ask for it.
        kept.ask("restart")
        wait_for(lambda: kept.ask("status")["restarts"] == 2)
        kept.ready()


def killed_we_take_it_with_us(folder):
    kept = Kept(folder).start()
    pid = kept.ready()["pid"]
    kept.keeper.kill()
    kept.keeper.wait(LONG)
    wait_for(lambda: gone(pid), 10)
    kept.end_app()
    # What it left behind is no obstacle, and its sign state is as it was.
    state = json.loads((kept.home / "data/priv_validator_state.json").read_text())
    with kept:
        kept.ready()
        again = json.loads((kept.home / "data/priv_validator_state.json").read_text())
        assert int(again["height"]) >= int(state["height"]) > 0, (state, again)


def without_its_application_it_is_started_again_and_says_why(folder):
    with Kept(folder) as kept:
        kept.ready()
        kept.end_app()
        after = wait_for(lambda: (lambda s: s if s["restarts"] else None)(kept.ask("status")))
        assert "ended by" in after["problem"], after


def another_genesis_and_a_lost_sign_state_are_refused(folder):
    kept = Kept(folder)
    with kept:
        kept.ready()
    # The sign state is gone: the engine must not begin anew.
    state = kept.home / "data/priv_validator_state.json"
    text = state.read_text()
    state.unlink()
    with kept:
        said = wait_for(lambda: (lambda s: s if s["restarts"] else None)(kept.ask("status")))
        assert "priv" in said["problem"].lower(), said
        assert not state.exists()
    state.write_text(text)
    genesis = kept.home / "config/genesis.json"
    genesis.write_text(genesis.read_text().replace("cairn-keeper", "cairn-keepers"))
    refused = run(KEEPER, kept.home, ENGINE, str(kept.port), kept.key, wanted=1)
    assert refused.stdout.startswith("ERR_MISMATCH genesis"), refused.stdout
    refused = run(KEEPER, folder / "other", ENGINE, str(kept.port), kept.key, wanted=1)
    assert refused.stdout.startswith("ERR_"), refused.stdout
    (folder / "other").mkdir()
    refused = run(KEEPER, folder / "other", folder / "nothing", str(kept.port), kept.key, wanted=1)
    assert refused.stdout.startswith("ERR_NOT_FOUND engine"), refused.stdout


run_cases(it_is_the_version_that_is_pinned,
          every_key_of_its_configuration_is_one_that_it_knows,
          its_files_are_for_its_user_alone,
          it_listens_at_one_port_and_speaks_over_a_socket,
          killed_it_is_started_again,
          killed_we_take_it_with_us,
          without_its_application_it_is_started_again_and_says_why,
          another_genesis_and_a_lost_sign_state_are_refused)
