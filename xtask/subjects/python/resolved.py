"""systemd-resolved, unpacked from Debian's packages (its installation would rewrite this machine's resolv.conf).

Version 252 can publish and look up; it has no browsing that goes on.
"""

import asyncio
import os
import socket
import subprocess
import sys

from adapter import HOST, INTERFACE, Bus, Unsupported, event, main, spawn, split_type, written

SERVICE = "org.freedesktop.resolve1"
PTR = 12
IN = 1
# Only multicast DNS is to answer, on either family.
MDNS = 8 | 16
USER = "systemd-resolve"
# In seconds.
SETTLED = 2


class Resolved:
    def __init__(self, bus, daemon):
        self.bus, self.daemon = bus, daemon
        self.index = socket.if_nametoindex(INTERFACE)
        self.offers = {}
        self.count = 0

    def call(self, member, signature="", body=()):
        return self.bus.call(
            SERVICE, "/org/freedesktop/resolve1", f"{SERVICE}.Manager", member, signature, body
        )

    async def publish(self, name, kind, port, txt):
        kind, subtypes = split_type(kind)
        if subtypes:
            raise Unsupported("subtypes")
        if any(string.endswith(b"=") for string in txt):
            raise Unsupported("an empty value, which it takes for none")
        self.count += 1
        pairs = dict(string.partition(b"=")[::2] for string in txt)
        pairs = {key.decode(): value for key, value in pairs.items()}
        # In a name template a percent sign begins a specifier.
        (path,) = await self.call(
            "RegisterService", "sssqqqaa{say}",
            [f"offer{self.count}", name.replace("%", "%%"), kind, int(port), 0, 0, [pairs]],
        )
        self.offers[name, kind] = path
        return "untold"

    async def withdraw(self, name, kind):
        await self.call("UnregisterService", "o", [self.offers.pop((name, kind))])

    async def host(self):
        return f"{HOST}.local"

    async def browse(self, kind):
        spawn(self.browse_once(kind))
        return "once"

    async def browse_once(self, kind):
        records, _flags = await self.call(
            "ResolveRecord", "isqqt", [self.index, f"{kind}.local", IN, PTR, MDNS]
        )
        for _index, _class, _type, octets in records:
            labels = target(bytes(octets))
            name = labels[0].decode("utf-8", "surrogateescape")
            event("found", name, kind)
            spawn(self.ask(name, kind))

    async def resolve(self, name, kind):
        spawn(self.ask(name, kind))
        return "once"

    async def ask(self, name, kind):
        found, txt, *_rest = await self.call(
            "ResolveService", "isssit", [self.index, name, kind, "local", socket.AF_UNSPEC, MDNS]
        )
        for _priority, _weight, port, host, entries, _canonical in found:
            known = sorted(socket.inet_ntop(family, bytes(octets)) for _index, family, octets in entries)
            event(
                "resolved", name, kind, host, str(port), ",".join(known) or "-",
                *[bytes(string).decode("utf-8", "surrogateescape") for string in txt],
            )

    async def resolve_host(self, host):
        async def ask():
            entries, *_rest = await self.call(
                "ResolveHostname", "isit", [self.index, host, socket.AF_UNSPEC, MDNS]
            )
            known = sorted(socket.inet_ntop(family, bytes(octets)) for _index, family, octets in entries)
            event("address", host, ",".join(known))

        spawn(ask())
        return "once"

    async def quit(self):
        self.daemon.terminate()
        await self.daemon.wait()


def target(octets):
    """The labels of the name in the data of a PTR record, which follows the owner's name and ten octets of numbers."""

    def name(at):
        labels = []
        while length := octets[at]:
            labels.append(octets[at + 1 : at + 1 + length])
            at += 1 + length
        return labels, at + 1

    _owner, at = name(0)
    return name(at + 10)[0]


def with_user(file, line):
    """Shows the daemon a system that has its user, without touching this one."""
    with open(file, encoding="utf-8") as old:
        copy = written(os.path.basename(file), old.read() + line)
    subprocess.run(["mount", "--bind", copy, file], check=True)


async def start():
    program = sys.argv[1]
    with_user("/etc/passwd", f"{USER}:x:991:991::/:/usr/sbin/nologin\n")
    with_user("/etc/group", f"{USER}:x:991:\n")
    os.makedirs("/run/systemd/resolved.conf.d")
    with open("/run/systemd/resolved.conf.d/lab.conf", "w", encoding="utf-8") as file:
        file.write("[Resolve]\nDNS=\nFallbackDNS=\nLLMNR=no\nMulticastDNS=yes\nDNSStubListener=no\n")
    bus = await Bus.start()
    folder = os.path.dirname(program)
    daemon = await asyncio.create_subprocess_exec(
        program, stdin=subprocess.DEVNULL, stdout=sys.stderr,
        env=os.environ | {"LD_LIBRARY_PATH": sys.argv[2], "SYSTEMD_LOG_TARGET": "console"},
    )
    await bus.wait_for(SERVICE)
    resolved = Resolved(bus, daemon)
    await resolved.call("SetLinkMulticastDNS", "is", [resolved.index, "yes"])
    # It asks nothing before it has probed for its host name, and has no sign for that.
    await asyncio.sleep(SETTLED)
    return resolved, f"systemd-resolved {sys.argv[3]}"


main(start)
