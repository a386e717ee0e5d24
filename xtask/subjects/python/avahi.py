"""Avahi: a daemon and a bus of its own, asked over D-Bus as any client would."""

import asyncio
import socket
import subprocess
import sys

from adapter import HOST, INTERFACE, Bus, Unsupported, event, main, spawn, split_type, written

SERVICE = "org.freedesktop.Avahi"
ANY = -1
IN = 1
A = 1
AAAA = 28
FAMILIES = {4: socket.AF_INET, 16: socket.AF_INET6}
SETTINGS = f"""[server]
host-name={HOST}
use-ipv4=yes
use-ipv6=yes
allow-interfaces={INTERFACE}
ratelimit-interval-usec=1000000
ratelimit-burst=1000
[wide-area]
enable-wide-area=no
[publish]
publish-hinfo=no
publish-workstation=no
[reflector]
enable-reflector=no
"""
COLLISION = 3
ESTABLISHED = 2
FAILURE = 4


class Avahi:
    def __init__(self, bus, daemon):
        self.bus, self.daemon = bus, daemon
        self.groups = {}  # path of an entry group -> what it stands for
        self.published = {}  # (name, type) -> path
        self.lookups = {}  # path of a browser or resolver -> a function for its signals
        self.early = {}  # signals that came before the reply that named their object
        self.seen = {}  # (name, type, host, port, txt) by instance -> addresses

    def call(self, path, kind, member, signature="", body=()):
        return self.bus.call(SERVICE, path, f"{SERVICE}.{kind}", member, signature, body)

    # Publishing ---------------------------------------------------------------------------------------------------

    async def publish(self, name, kind, port, txt):
        kind, subtypes = split_type(kind)
        (path,) = await self.call("/", "Server", "EntryGroupNew")
        self.groups[path] = {"name": name, "actual": name, "kind": kind, "subtypes": subtypes, "port": int(port), "txt": txt}
        self.published[name, kind] = path
        await self.commit(path)

    async def commit(self, path):
        offer = self.groups[path]
        identity = [ANY, ANY, 0, offer["actual"], offer["kind"], "local"]
        await self.call(
            path, "EntryGroup", "AddService", "iiussssqaay", [*identity, "", offer["port"], offer["txt"]]
        )
        for subtype in offer["subtypes"]:
            await self.call(
                path, "EntryGroup", "AddServiceSubtype", "iiussss", [*identity, f"{subtype}._sub.{offer['kind']}"]
            )
        await self.call(path, "EntryGroup", "Commit")

    def group_changed(self, path, state, why):
        offer = self.groups.get(path)
        if offer is None:
            return
        if state == ESTABLISHED:
            event("published", offer["name"], offer["kind"], offer["actual"])
        elif state == COLLISION:
            spawn(self.take_another_name(path))
        elif state == FAILURE:
            event("failed", offer["name"], offer["kind"], why)

    async def take_another_name(self, path):
        """As avahi-publish and the examples do it."""
        offer = self.groups[path]
        (offer["actual"],) = await self.call("/", "Server", "GetAlternativeServiceName", "s", [offer["actual"]])
        event("renamed", offer["name"], offer["kind"], offer["actual"])
        await self.call(path, "EntryGroup", "Reset")
        await self.commit(path)

    async def update_txt(self, name, kind, txt):
        path = self.published[name, kind]
        offer = self.groups[path]
        offer["txt"] = txt
        await self.call(
            path, "EntryGroup", "UpdateServiceTxt", "iiusssaay", [ANY, ANY, 0, offer["actual"], kind, "local", txt]
        )

    async def rename(self, name, kind, new):
        """An entry group is emptied and filled again: Avahi has no other way."""
        path = self.published.pop((name, kind))
        self.published[new, kind] = path
        self.groups[path].update(name=new, actual=new)
        await self.call(path, "EntryGroup", "Reset")
        await self.commit(path)

    async def withdraw(self, name, kind):
        path = self.published.pop((name, kind))
        del self.groups[path]
        await self.call(path, "EntryGroup", "Free")

    async def host(self):
        return (await self.call("/", "Server", "GetHostNameFqdn"))[0]

    # Asking -------------------------------------------------------------------------------------------------------

    async def look(self, member, signature, body, heard):
        (path,) = await self.call("/", "Server", member, signature, body)
        self.lookups[path] = heard
        for early in self.early.pop(path, []):
            heard(*early)
        return path

    async def browse(self, kind):
        await self.look(
            "ServiceBrowserNew", "iissu", [ANY, ANY, kind, "local", 0], lambda member, body: self.browsed(kind, member, body)
        )

    def browsed(self, kind, member, body):
        if member not in ("ItemNew", "ItemRemove"):
            return
        interface, protocol, name = body[:3]
        # Avahi tells of each instance once for each protocol.
        views = self.seen.setdefault((name, kind), set())
        before = len(views)
        (views.add if member == "ItemNew" else views.discard)((interface, protocol))
        if not before and views:
            event("found", name, kind)
            spawn(self.resolve(name, kind))
        elif before and not views:
            event("removed", name, kind)

    async def resolve(self, name, kind):
        known = set()
        for protocol in (0, 1):
            await self.look(
                "ServiceResolverNew", "iisssiu", [ANY, ANY, name, kind, "local", protocol, 0],
                lambda member, body: self.resolved(name, kind, known, member, body),
            )

    def resolved(self, name, kind, known, member, body):
        if member != "Found":
            return
        host, address, port, txt = body[5], body[7], body[8], body[9]
        known.add(address)
        event("resolved", name, kind, host, str(port), ",".join(sorted(known)), *map(as_text, txt))

    async def resolve_host(self, host):
        """By its records: a resolver gives one address alone."""
        known = set()

        def heard(member, body):
            if member not in ("ItemNew", "ItemRemove"):
                return
            # Avahi tells of each record once for each interface and protocol on which it was heard.
            view = (body[0], body[1], bytes(body[5]))
            (known.add if member == "ItemNew" else known.discard)(view)
            addresses = {socket.inet_ntop(FAMILIES[len(octets)], octets) for _, _, octets in known}
            event("address", host, ",".join(sorted(addresses)) or "-")

        for kind in (A, AAAA):
            await self.look("RecordBrowserNew", "iisqqu", [ANY, ANY, host, IN, kind, 0], heard)

    async def stop_browse(self, _kind):
        await self.stop_looking()

    async def stop_resolve(self, _name, _kind):
        await self.stop_looking()

    async def stop_looking(self):
        for path in list(self.lookups):
            kind = next(kind for kind in ("ServiceBrowser", "ServiceResolver", "RecordBrowser") if kind in path)
            del self.lookups[path]
            await self.call(path, kind, "Free")

    def heard(self, path, member, body):
        if path in self.lookups:
            self.lookups[path](member, body)
        elif path in self.groups or member == "StateChanged":
            if member == "StateChanged" and path in self.groups:
                self.group_changed(path, body[0], body[1])
        else:
            self.early.setdefault(path, []).append((member, body))

    async def quit(self):
        self.daemon.terminate()
        await self.daemon.wait()


def as_text(octets):
    return bytes(octets).decode("utf-8", "surrogateescape")


async def start():
    bus = await Bus.start()
    daemon = await asyncio.create_subprocess_exec(
        "/usr/sbin/avahi-daemon", "--no-drop-root", "--no-chroot", "--no-rlimits", "--file", written("avahi.conf", SETTINGS),
        stdin=subprocess.DEVNULL, stdout=sys.stderr,
    )
    await bus.wait_for(SERVICE)
    avahi = Avahi(bus, daemon)
    for kind in ("EntryGroup", "ServiceBrowser", "ServiceResolver", "RecordBrowser"):
        await bus.listen(f"{SERVICE}.{kind}", avahi.heard)
    (version,) = await avahi.call("/", "Server", "GetVersionString")
    return avahi, version


main(start)
