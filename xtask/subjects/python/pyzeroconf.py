"""python-zeroconf, through its asyncio face."""

import asyncio
import socket

import zeroconf
from zeroconf import IPVersion, ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf
from zeroconf import AddressResolver

from adapter import HOST, INTERFACE, Unsupported, addresses, attributes, event, main, spawn, split_type

RESOLVING = 3000


class Zeroconf:
    def __init__(self, inner):
        self.inner = inner
        self.offers = {}
        self.browsers = {}

    async def publish(self, name, kind, port, txt):
        kind, subtypes = split_type(kind)
        if subtypes:
            # Registered under a subtype it is not announced under its type.
            raise Unsupported("a service has one type")
        whole = f"{kind}.local."
        info = AsyncServiceInfo(
            whole,
            f"{name}.{whole}",
            port=int(port),
            properties=dict(attributes(txt)),
            server=f"{HOST}.local.",
            parsed_addresses=addresses(),
        )
        self.offers[name, kind] = info
        spawn(self.establish(name, kind, info))
        # It announces the addresses that it was given, until the application gives it others.
        return "fixed"

    async def establish(self, name, kind, info):
        try:
            announced = await self.inner.async_register_service(info, allow_name_change=True)
        except zeroconf.Error as why:
            return event("failed", name, kind, type(why).__name__)
        actual = info.name.removesuffix(f".{kind}.local.")
        if actual != name:
            event("renamed", name, kind, actual)
        event("published", name, kind, actual)
        await announced

    async def update_txt(self, name, kind, txt):
        old = self.offers[name, kind]
        info = AsyncServiceInfo(
            old.type, old.name, port=old.port, properties=dict(attributes(txt)), server=old.server,
            addresses=old.addresses_by_version(IPVersion.All),
        )
        self.offers[name, kind] = info
        spawn((await self.inner.async_update_service(info)))

    async def withdraw(self, name, kind):
        spawn((await self.inner.async_unregister_service(self.offers.pop((name, kind)))))

    async def host(self):
        return f"{HOST}.local"

    async def browse(self, kind):
        whole = f"{kind}.local."

        def changed(zeroconf, service_type, name, state_change):  # noqa: ARG001
            instance = name.removesuffix(f".{service_type}")
            if state_change is ServiceStateChange.Removed:
                return event("removed", instance, kind)
            if state_change is ServiceStateChange.Added:
                event("found", instance, kind)
            spawn(self.resolve(instance, kind))

        self.browsers[kind] = AsyncServiceBrowser(self.inner.zeroconf, whole, handlers=[changed])

    async def stop_browse(self, kind):
        await self.browsers.pop(kind).async_cancel()

    async def resolve(self, name, kind):
        spawn(self.ask(name, kind))
        return "once"

    async def ask(self, name, kind):
        info = AsyncServiceInfo(f"{kind}.local.", f"{name}.{kind}.local.")
        if await info.async_request(self.inner.zeroconf, RESOLVING):
            txt = [
                key + (b"" if value is None else b"=" + value) for key, value in info.properties.items()
            ]
            event(
                "resolved", name, kind, info.server.removesuffix("."), str(info.port),
                ",".join(info.parsed_scoped_addresses()) or "-",
                *[string.decode("utf-8", "surrogateescape") for string in txt],
            )

    async def resolve_host(self, host):
        async def ask():
            resolver = AddressResolver(f"{host}.")
            if await resolver.async_request(self.inner.zeroconf, RESOLVING):
                event("address", host, ",".join(resolver.parsed_scoped_addresses()))

        spawn(ask())
        return "once"

    async def quit(self):
        await self.inner.async_close()


async def start():
    # One address of each family names the interface.
    index = socket.if_nametoindex(INTERFACE)
    interfaces = [address for address in addresses() if "." in address][:1] + [index]
    inner = AsyncZeroconf(interfaces=interfaces, ip_version=IPVersion.All)
    await inner.zeroconf.async_wait_for_start()
    return Zeroconf(inner), f"python-zeroconf {zeroconf.__version__}"


main(start)
