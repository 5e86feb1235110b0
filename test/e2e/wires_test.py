#!/usr/bin/python3
"""usage: wires_test.py SWITCH [-k WORD]

The network of the tests of faults itself: what is cut does not arrive, what is delayed comes late,
what is lost on a link still comes by TCP. In both kinds, where this machine has both.
"""
import os
import socket
import sys
import threading
import time

import wires
from harness import run_cases

SWITCH = sys.argv[1]
SLOW_S = 0.15


class Echo:
    """Answers what it is sent, on one node."""

    def __init__(self, net, node):
        self.net, self.node = net, node
        self.listener = net.socket(node)
        self.listener.bind((net.wires.address(node), 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    @staticmethod
    def answer(connection):
        with connection:
            while piece := connection.recv(65536):
                connection.sendall(piece)


class Net:
    """Sockets of this process on each node."""

    def __init__(self, kind):
        self.wires = wires.Packets(SWITCH, 2) if kind == "packets" else wires.Proxies(2)

    def socket(self, node):
        if isinstance(self.wires, wires.Proxies):
            return socket.socket()
        made = []

        def make():
            with open(self.wires.paths[node]) as namespace:
                assert wires.ctypes.CDLL(None).setns(namespace.fileno(), wires.CLONE_NEWNET) == 0
            made.append(socket.socket())
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        return made[0]

    def connect(self, i, j, port):
        made = self.socket(i)
        made.settimeout(30)
        made.connect(self.wires.route(i, j, port))
        return made


def echoed(connection, data):
    """Seconds until everything is back."""
    began = time.monotonic()
    threading.Thread(target=connection.sendall, args=(data,)).start()
    back = b""
    while len(back) < len(data):
        back += connection.recv(65536)
    assert back == data
    return time.monotonic() - began


def arrives(connection, data, within_s):
    connection.sendall(data)
    connection.settimeout(within_s)
    try:
        return connection.recv(100) == data
    except TimeoutError:
        return False
    finally:
        connection.settimeout(30)


def check(kind):
    net = Net(kind)
    server = Echo(net, 1)
    one = net.connect(0, 1, server.port)
    assert echoed(one, os.urandom(1000000)) < 10
    net.wires.both(0, 1, delay_s=SLOW_S)
    assert 2 * SLOW_S <= echoed(one, b"slow") < 2 * SLOW_S + 5
    net.wires.heal()
    net.wires.link(1, 0, cut=True)
    assert not arrives(one, b"one way", 0.3), "what was said on a cut link arrived"
    net.wires.heal()
    assert one.recv(100) == b"one way"
    net.wires.partition([0], [1])
    assert not arrives(one, b"cut", 0.3)
    net.wires.heal()
    assert one.recv(100) == b"cut"
    net.wires.both(0, 1, loss=0.05)
    before = net.wires.lost()
    echoed(one, os.urandom(300000))
    assert net.wires.lost() > before, "nothing was lost"
    one.close()
    server.listener.close()
    net.wires.close()


def proxies_do_what_is_asked_of_them(_):
    check("proxies")


def packets_do_what_is_asked_of_them(_):
    try:
        wires.Packets(SWITCH, 2).close()
    except OSError as error:
        print("no namespaces here: %s" % error)
        return
    check("packets")


run_cases(proxies_do_what_is_asked_of_them, packets_do_what_is_asked_of_them)
