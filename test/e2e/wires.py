"""The network between the nodes of a test, each of whose links can be cut, slowed down or made
lossy, in one direction alone where wanted.

Packets: each node in a network namespace of its own, with test/e2e/switch.c between them: real
packets, real losses, and TCP's own answer to them. Root can have this; so can an ordinary user where
/dev/net/tun is open to everyone and the system gives users namespaces of their own. Proxies: all
nodes on loopback, with a proxy of ours in each direction between two of them: bytes are held
instead of packets lost. What is used is chosen by what there is, and said; CAIRN_NETWORK=packets or
=proxies demands one.
"""
import asyncio
import collections
import ctypes
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time

CLONE_NEWNET = 0x40000000
HOLD_MAX = 1 << 20  # bytes under way in one direction of a proxied connection
SEGMENT = 1448      # bytes of a packet of TCP
RESEND_S = 0.2      # what TCP takes to send a lost packet again


class Link:
    """One direction between two nodes."""

    def __init__(self):
        self.delay_s = 0.0
        self.loss = 0.0
        self.cut = False

    def set(self, delay_s=0.0, loss=0.0, cut=False):
        self.delay_s, self.loss, self.cut = delay_s, loss, cut


class Wires:
    """What both kinds have in common. Nodes have numbers from 0."""

    def __init__(self, count):
        self.count = count
        self.links = {(i, j): Link() for i in range(count) for j in range(count) if i != j}

    def link(self, i, j, **values):
        """Of what i says to j: delay_s, loss (0 to 1), cut. What is not given is as on a good
        link."""
        self.links[i, j].set(**values)
        self.apply(i, j)

    def both(self, i, j, **values):
        self.link(i, j, **values)
        self.link(j, i, **values)

    def all(self, **values):
        for i, j in self.links:
            self.link(i, j, **values)

    def heal(self):
        self.all()

    def partition(self, *groups):
        """Links within a group are good, those between groups are cut."""
        where = {node: number for number, group in enumerate(groups) for node in group}
        for i, j in self.links:
            self.link(i, j, cut=where[i] != where[j])

    def apply(self, i, j):
        raise NotImplementedError


# ---- packets

def _enter_user_namespace():
    """An ordinary user becomes root of a namespace of its own, in which the test starts anew."""
    if os.geteuid() != 0 and "CAIRN_INSIDE" not in os.environ and shutil.which("unshare") and \
            os.access("/dev/net/tun", os.R_OK | os.W_OK) and \
            subprocess.run(["unshare", "-Ur", "true"], stderr=subprocess.DEVNULL,
                           check=False).returncode == 0:
        os.environ["CAIRN_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "-Ur", sys.executable, *sys.argv])


class Packets(Wires):
    kind = "packets through namespaces"

    def __init__(self, program, count):
        """One host more than there are nodes is where this process and its clients are; its links
        are always good. This process is in that namespace from now on."""
        super().__init__(count)
        self.lock = threading.Lock()
        self.process = subprocess.Popen([str(program), str(count + 1)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        if not words or words[0] != "ready" or len(words) < count + 2:
            self.process.stdin.close()
            said = self.process.stderr.read().strip()
            self.process.wait()
            raise OSError(said)
        self.paths = ["/proc/%d/fd/%s" % (self.process.pid, word) for word in words[1:]]
        with open(self.paths[count]) as namespace:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def command(self, line):
        with self.lock:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            return self.process.stdout.readline().split()

    def seed(self, seed):
        self.command("seed %d" % seed)

    def apply(self, i, j):
        link = self.links[i, j]
        said = self.command("link %d %d %d %d %d" % (
            i, j, round(link.delay_s * 1e6), round(link.loss * 1e6), link.cut))
        assert said == ["ok"], said

    def address(self, i):
        return "127.0.77.%d" % (i + 1)

    def prefix(self, i):
        """What a command begins with that is to run on node i."""
        return ["nsenter", "--net=" + self.paths[i]]

    def route(self, i, j, port):
        """Where node i finds a port of node j."""
        return self.address(j), port

    def lost(self):
        """Packets lost so far."""
        return int(self.command("stats")[2])

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
        self.process.stderr.close()


# ---- proxies

class Proxies(Wires):
    kind = "proxies on loopback"

    def __init__(self, count):
        super().__init__(count)
        self.chance = random.Random(1)
        self.ports = {}
        self.held = 0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def seed(self, seed):
        self.chance.seed(seed)

    def apply(self, i, j):
        """Connections look at their link before each piece."""

    def address(self, _):
        return "127.0.0.1"

    def prefix(self, _):
        return []

    def lost(self):
        """Pieces that were held up as if lost."""
        return self.held

    def route(self, i, j, port):
        if (i, j, port) not in self.ports:
            # Where it is said first, it has to stay: a node that starts anew finds it there.
            listener = socket.create_server(("127.0.0.1", 0))
            self.ports[i, j, port] = listener.getsockname()[1]
            asyncio.run_coroutine_threadsafe(self.listen(listener, i, j, port), self.loop).result()
        return "127.0.0.1", self.ports[i, j, port]

    async def listen(self, listener, i, j, port):
        async def joined(reader, writer):
            await self.carry(reader, writer, i, j, port)
        await asyncio.start_server(joined, sock=listener)

    async def carry(self, reader, writer, i, j, port):
        far = None
        try:
            # A connection needs both directions.
            while self.links[i, j].cut or self.links[j, i].cut:
                await asyncio.sleep(0.02)
            far_reader, far = await asyncio.open_connection("127.0.0.1", port)
            ways = [asyncio.ensure_future(self.one_way(reader, far, self.links[i, j])),
                    asyncio.ensure_future(self.one_way(far_reader, writer, self.links[j, i]))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_EXCEPTION)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass
        finally:
            for end in (writer, far):
                if end:
                    end.transport.abort()

    async def one_way(self, reader, writer, link):
        """Carries bytes until one end closes; holds what is under way on a cut link."""
        way = collections.deque()
        state = {"held": 0, "ended": False}
        changed = asyncio.Event()

        async def take():
            while not state["ended"]:
                while state["held"] > HOLD_MAX:
                    await asyncio.sleep(0.005)
                piece = await reader.read(65536)
                stall = 0.0
                if link.loss and self.chance.random() > (1 - link.loss) ** (len(piece) / SEGMENT):
                    stall = RESEND_S
                    self.held += 1
                way.append((time.monotonic() + link.delay_s + stall, piece))
                state["held"] += len(piece)
                state["ended"] = not piece
                changed.set()

        async def give():
            while True:
                while not way:
                    changed.clear()
                    await changed.wait()
                due, piece = way.popleft()
                while link.cut:
                    await asyncio.sleep(0.02)
                if due > time.monotonic():
                    await asyncio.sleep(due - time.monotonic())
                state["held"] -= len(piece)
                if not piece:
                    raise ConnectionResetError
                writer.write(piece)
                await writer.drain()

        await asyncio.gather(take(), give())

    def close(self):
        async def end():
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        asyncio.run_coroutine_threadsafe(end(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def choose(program, count):
    """The best kind that this machine and user can have; says which."""
    wanted = os.environ.get("CAIRN_NETWORK", "")
    assert wanted in ("", "packets", "proxies"), "CAIRN_NETWORK is packets or proxies"
    reason = "as demanded"
    if wanted != "proxies":
        _enter_user_namespace()
        try:
            wires = Packets(program, count)
            print("network: " + wires.kind, flush=True)
            return wires
        except OSError as error:
            if wanted:
                raise
            reason = str(error)
    print("network: %s (%s)" % (Proxies.kind, reason), flush=True)
    return Proxies(count)
