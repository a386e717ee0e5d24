"""Debian's mdnsd: a daemon that is told by files and by SIGHUP, and a one-shot tool to ask, `mquery`."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile

from adapter import HOST, INTERFACE, Unsupported, event, main, spawn, split_type

DAEMON = "/usr/sbin/mdnsd"


class Mdnsd:
    def __init__(self):
        self.folder = tempfile.mkdtemp(dir="/run")
        self.offers = {}
        self.daemon = None
        self.queries = {}

    async def publish(self, name, kind, port, txt):
        kind, subtypes = split_type(kind)
        if subtypes:
            raise Unsupported("subtypes")
        self.offers[name, kind] = (os.path.join(self.folder, f"{len(self.offers)}.service"), port)
        self.write(name, kind, txt)
        await self.reload()
        return "untold"

    def write(self, name, kind, txt):
        file, port = self.offers[name, kind]
        # Without `target`: with it, version 0.12 lets the PTR record point at the host instead of the instance.
        lines = [f"name {name}", f"type {kind}", f"port {port}"]
        lines += [f"txt {string.decode()}" for string in txt]
        with open(file, "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")

    async def reload(self):
        if self.daemon is None:
            # Without a file it does nothing at all, so it is started with the first.
            self.daemon = await asyncio.create_subprocess_exec(
                DAEMON, "-n", "-i", INTERFACE, "-l", "notice", self.folder,
                stdin=subprocess.DEVNULL, stdout=sys.stderr,
            )
        else:
            self.daemon.send_signal(signal.SIGHUP)

    async def update_txt(self, name, kind, txt):
        self.write(name, kind, txt)
        await self.reload()

    async def withdraw(self, name, kind):
        os.remove(self.offers.pop((name, kind))[0])
        if self.offers:
            await self.reload()
        else:
            # It keeps the last service when it finds no file any more; so it is stopped, as its user would.
            await self.stop()

    async def stop(self):
        if self.daemon is not None:
            self.daemon.terminate()
            await self.daemon.wait()
            self.daemon = None

    async def browse(self, kind):
        query = await asyncio.create_subprocess_exec(
            "stdbuf", "-oL", "mquery", "-i", INTERFACE, "-t", "12", f"{kind}.local.",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        )
        self.queries[kind] = query
        spawn(self.browsed(query, kind))
        return "additions"

    async def browsed(self, query, kind):
        """Its lines are `+ My printer._ipp._tcp.local. (192.0.2.1)`, one for each answer heard."""
        found = set()
        async for line in query.stdout:
            sign, _, rest = line.decode(errors="replace").partition(" ")
            name = rest.rpartition(" (")[0].removesuffix(f".{kind}.local.")
            if sign == "+" and name not in found:
                found.add(name)
                event("found", name, kind)

    async def stop_browse(self, kind):
        self.queries.pop(kind).terminate()

    async def quit(self):
        for query in self.queries.values():
            query.terminate()
        await self.stop()


async def start():
    said = subprocess.run([DAEMON, "-v"], capture_output=True, text=True, check=False)
    version = (said.stdout or said.stderr).split()[-1]
    return Mdnsd(), f"mdnsd {version}"


main(start)
