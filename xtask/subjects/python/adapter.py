"""The line protocol of crates/cooee-conformance/PROTOCOL.md, for stacks that Python can reach.

A stack is an object whose coroutines are named after the commands (`publish`, `update_txt`, …). What it has not is
answered with `unsupported`; what a coroutine returns follows `ok`; what it raises follows `error`.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from urllib.parse import quote, unquote_to_bytes

INTERFACE = os.environ.get("COOEE_INTERFACE", "")
HOST = os.environ.get("COOEE_HOST", "subject")
PATIENCE = 9
# What may stand in a word as it is: `!` to `~` without `%`.
PLAIN = "".join(chr(octet) for octet in range(0x21, 0x7F) if chr(octet) != "%")


class Unsupported(Exception):
    """The stack cannot do that."""


def say(*words):
    print(" ".join(quote(word, safe=PLAIN) for word in words), flush=True)


def event(*words):
    say("event", *words)


def spawn(coroutine):
    """Goes on beside the commands; what it raises is worth a line."""

    async def watched():
        try:
            await coroutine
        except Exception as why:  # noqa: BLE001
            event("log", f"{type(why).__name__}: {why}")

    task = asyncio.get_running_loop().create_task(watched())
    RUNNING.add(task)
    task.add_done_callback(RUNNING.discard)
    return task


RUNNING = set()


def split_type(text):
    """`_http._tcp,_a,_b` is a type and its subtypes."""
    kind, *subtypes = text.split(",")
    return kind, subtypes


def attributes(words):
    """`key=value` and `key` as pairs in octets; None is no value."""
    pairs = []
    for word in words:
        key, sign, value = word.partition(b"=")
        pairs.append((key, value if sign else None))
    return pairs


def addresses():
    """The addresses of the subject's interface, as text."""
    shown = subprocess.run(
        ["ip", "-json", "address", "show", "dev", INTERFACE], check=True, capture_output=True
    )
    return [entry["local"] for link in json.loads(shown.stdout) for entry in link["addr_info"]]


async def serve(start):
    """Starts a stack, says so, and obeys until the end of the input."""
    stack, version = await start()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    print("ready", version, flush=True)
    while line := await reader.readline():
        command, *words = [unquote_to_bytes(word) for word in line.decode().split()] or [b""]
        await obey(stack, command.decode(), words)
        if command == b"quit":
            return


async def obey(stack, command, words):
    run = getattr(stack, command.replace("-", "_"), None)
    if run is None:
        return say("unsupported", command)
    # Names, types and ports are text; attributes may be any octets.
    plain = {"publish": 3, "update-txt": 2}.get(command, len(words))
    try:
        arguments = [word.decode() for word in words[:plain]]
        if command in ("publish", "update-txt"):
            arguments.append(words[plain:])
        said = await asyncio.wait_for(run(*arguments), PATIENCE)
        say("ok", *([said] if said else []))
    except Unsupported as why:
        say("unsupported", str(why))
    except Exception as why:  # noqa: BLE001
        say("error", f"{type(why).__name__}: {why}")


class Bus:
    """A message bus of this adapter alone, where a daemon would look for the one of the system."""

    SETTINGS = """<busconfig><type>system</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
        <policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
        <allow send_type="signal"/><allow send_requested_reply="true"/><allow receive_requested_reply="true"/>
        <allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>"""

    @classmethod
    async def start(cls):
        from dbus_fast import BusType
        from dbus_fast.aio import MessageBus

        # Private to this adapter, as the whole of /run is.
        path = "/run/dbus/system_bus_socket"
        os.makedirs("/run/dbus", exist_ok=True)
        settings = "/run/bus.conf"
        with open(settings, "w", encoding="utf-8") as file:
            file.write(cls.SETTINGS.format(path=path))
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = f"unix:path={path}"
        daemon = await asyncio.create_subprocess_exec(
            "dbus-daemon", "--config-file", settings, "--nofork", "--print-address",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        )
        await daemon.stdout.readline()
        bus = cls()
        bus.bus = await MessageBus(bus_type=BusType.SYSTEM, negotiate_unix_fd=False).connect()
        return bus

    async def call(self, service, path, interface, member, signature="", body=()):
        from dbus_fast import Message, MessageType

        reply = await self.bus.call(
            Message(service, path, interface, member, signature=signature, body=list(body))
        )
        if reply.message_type is MessageType.ERROR:
            raise RuntimeError(f"{reply.error_name}: {reply.body}")
        return reply.body

    async def wait_for(self, service):
        """Returns when a program has taken this name on the bus."""
        while not (
            await self.call(
                "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner", "s", [service]
            )
        )[0]:
            await asyncio.sleep(0.02)

    async def listen(self, interface, heard):
        """Calls `heard(path, member, body)` for each signal of this interface."""
        from dbus_fast import MessageType

        def pick(message):
            if message.message_type is MessageType.SIGNAL and message.interface == interface:
                heard(message.path, message.member, message.body)

        self.bus.add_message_handler(pick)
        await self.call(
            "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch", "s",
            [f"type='signal',interface='{interface}'"],
        )


def written(name, text):
    """A settings file in a folder that goes with the adapter."""
    path = os.path.join(tempfile.mkdtemp(dir="/run"), name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def main(start):
    asyncio.run(serve(start))
