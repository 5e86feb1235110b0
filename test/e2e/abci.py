#!/usr/bin/python3
"""usage: abci.py COUNTER ABCI-CLI

The engine's own client, abci-cli, asks an application on our server (test/abci/counter.c): its
conformance tests, every command, and what happens to a connection that is asked nonsense."""
import re
import subprocess
import sys

from harness import LONG, run, run_cases

COUNTER, ABCI_CLI = sys.argv[1:3]


class Counter:
    """The application, on a socket in `folder`."""

    def __init__(self, folder):
        self.address = "unix://%s/abci.sock" % folder
        self.process = subprocess.Popen([COUNTER, str(folder), "abci.sock"], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.said = None

    def __enter__(self):
        assert self.process.stdout.readline() == "serving\n"
        return self

    def __exit__(self, *_):
        self.said, _ = self.process.communicate(timeout=LONG)
        assert self.process.returncode == 0, self.process.returncode

    def ask(self, *words, wanted=0):
        return run(ABCI_CLI, "--abci", "socket", "--address", self.address, "--log_level", "none",
                   *words, wanted=wanted)


def the_engines_own_conformance_tests_pass(folder):
    with Counter(folder) as counter:
        said = counter.ask("test").stdout
        assert "Failed" not in said, said
        passed = re.findall(r"Passed test: (\w+)", said)
        assert len(passed) == 10, said
        assert set(passed) == {"InitChain", "Commit", "FinalizeBlock", "PrepareProposal",
                               "ProcessProposal"}, said
    assert counter.said.startswith("closed ERR_CLOSED"), counter.said


def every_command_of_its_client_is_answered(folder):
    with Counter(folder) as counter:
        assert "-> data: hello" in counter.ask("echo", "hello").stdout
        assert "-> data: counter" in counter.ask("info").stdout
        assert "-> code: OK" in counter.ask("check_tx", "0x00").stdout
        said = counter.ask("check_tx", "0x07").stdout
        assert "-> code: 2\n-> log: not the next one" in said, said
        said = counter.ask("finalize_block", "0x00", "0x01", "0x01").stdout
        assert re.findall(r"code: (\w+)", said)[:3] == ["OK", "OK", "2"], said
        assert "0000000000000002" in said, said
        assert "-> code: OK" in counter.ask("commit").stdout
        assert "-> code: OK" in counter.ask("prepare_proposal", "0x02").stdout
        assert "-> status: ACCEPT" in counter.ask("process_proposal", "0x02").stdout
        said = counter.ask("process_proposal", "0x" + "ff" * 9).stdout
        assert "-> status: REJECT" in said, said
        said = counter.ask("query", "--path", "/count", "0x00").stdout
        assert "-> value: 2" in said and "-> height: 1" in said, said
        # One connection, many commands.
        batch = subprocess.run([ABCI_CLI, "--abci", "socket", "--address", counter.address,
                                "--log_level", "none", "batch"], text=True, capture_output=True,
                               input="echo one\ncheck_tx 0x02\ninfo\ncommit\n", timeout=LONG,
                               check=True)
        assert "-> data: one" in batch.stdout and "-> data: counter" in batch.stdout, batch.stdout


def a_call_that_fails_reaches_the_client_as_an_error(folder):
    with Counter(folder) as counter:
        said = counter.ask("query", "--path", "/fail", "0x00", wanted=1)
        assert "path '/fail' is there to fail. Ask /count." in said.stdout + said.stderr, said
    assert "closed ERR_REFUSED path '/fail'" in counter.said, counter.said


run_cases(the_engines_own_conformance_tests_pass, every_command_of_its_client_is_answered,
          a_call_that_fails_reaches_the_client_as_an_error)
