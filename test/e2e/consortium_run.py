#!/usr/bin/python3
"""usage: consortium_run.py CAIRN ENGINE

Four institutions run one ledger: statements sent to any node are on all of them under the same
headers, one node that is killed is not missed, and it has everything again when it returns."""
import json
import os
import pathlib
import subprocess
import sys
import time

from harness import LONG, Ledger, run, run_cases

CAIRN, ENGINE = sys.argv[1], sys.argv[2]
NODES = 4


class Node(Ledger):
    """The folder of one organisation's node, and its server at the port that the others know."""

    def __init__(self, folder, name):
        super().__init__(CAIRN, folder / name, name)
        self.folder = folder
        self.dir = folder / name

    @property
    def trust(self):
        return self.folder / "local.trust"

    def log(self):
        return self.log_file.read_text(errors="replace")

    @property
    def log_file(self):
        return self.folder / (self.name + ".log")

    def launch(self, *options):
        self.errors = open(self.log_file, "ab")
        self.server = subprocess.Popen(
            [self.cairn, "run", str(self.dir), "--engine", ENGINE, *options],
            stdout=subprocess.PIPE, stderr=self.errors)
        return self

    def deposit(self, name):
        """Deposits a file of that name with the organisation's own key; returns the answer."""
        file = self.folder / name
        file.write_text("content of " + name)
        key = self.dir / "keys" / "audit.key"
        return json.loads(self.cli("deposit", file, "--key", key, "--plain", "--proofs", "none",
                                   "--json").stdout)


def network(folder):
    run(CAIRN, "network", "init", folder / "net", "--local", str(NODES))
    return [Node(folder / "net", "org%d" % (i + 1)) for i in range(NODES)]


def until(what, condition):
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, "did not come: " + what
        time.sleep(0.05)


def expect_same_history(nodes):
    """All nodes reach the highest head, and have the same headers below it."""
    most = max(node.height() for node in nodes)
    until("height %d everywhere" % most, lambda: all(node.height() >= most for node in nodes))
    for height in range(most + 1):
        blocks = {node.http("GET", "/v1/blocks/%d" % height)[2] for node in nodes}
        assert len(blocks) == 1, "nodes differ at height %d: %s" % (height, blocks)
    return most


def engine_pid(node):
    """The engine's process, which is the server's only child."""
    with open("/proc/%d/task/%d/children" % (node.server.pid, node.server.pid)) as file:
        main = file.read().split()
    tasks = pathlib.Path("/proc/%d/task" % node.server.pid)
    children = [word for task in tasks.iterdir() for word in (task / "children").read_text().split()]
    return int((main + children)[0])


def one_ledger_of_four(folder):
    nodes = network(folder)
    try:
        for node in nodes:
            node.launch()
        for node in nodes:
            node.listening()
        for i, node in enumerate(nodes):
            node.deposit("first-%d" % i)
        assert expect_same_history(nodes) >= 1

        lost = nodes[2]
        child = engine_pid(lost)
        lost.kill()
        until("the engine's end with its node", lambda: not os.path.exists("/proc/%d" % child))
        others = [node for node in nodes if node is not lost]
        for i in range(6):
            others[i % 3].deposit("second-%d" % i)
        before = expect_same_history(others)

        lost.launch().listening()
        assert expect_same_history(nodes) >= before
        lost.deposit("third")
        top = expect_same_history(nodes)

        # An idle consortium writes nothing.
        sizes = {node.json("/v1/ledger")["head"]["size"] for node in nodes}
        assert sizes == {1 + 4 + 6 + 1}, sizes
        time.sleep(2)
        assert {node.height() for node in nodes} == {top}
    finally:
        for node in nodes:
            node.stop()


def an_engine_that_dies_is_started_again_and_nothing_is_lost(folder):
    nodes = network(folder)
    try:
        for node in nodes:
            node.launch()
        for node in nodes:
            node.listening()
        nodes[0].deposit("before")
        for node in nodes[:2]:
            os.kill(engine_pid(node), 9)
        nodes[0].deposit("after")
        nodes[3].deposit("elsewhere")
        expect_same_history(nodes)
        assert "event=engine.ended" in nodes[0].log()
    finally:
        for node in nodes:
            node.stop()


sys.exit(run_cases(one_ledger_of_four, an_engine_that_dies_is_started_again_and_nothing_is_lost))
