import asyncio
from typing import Any

from twisted.internet import asyncioreactor
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from echod.service.listening import CannotServe, ListeningService
from echod.tap import Options, makeService


async def ask(port: int, question: bytes) -> bytes:
    """
    Send some bytes and wait for the answer, with asyncio alone.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(question)
    answer = await reader.readexactly(len(question))
    writer.close()
    await writer.wait_closed()
    return answer


async def talk(reactor: Any) -> None:
    """
    Run an echod, and talk to it with asyncio.
    """
    options = Options(reactor)
    options.parseOptions(["--tcp", "0"])
    service = makeService(options)
    try:
        service.startService()
    except CannotServe as problem:
        print(f"cannot listen: {problem}")
        return
    try:
        listening: ListeningService[Any]
        (listening,) = service.listening
        port: Any = listening.port
        number = port.getHost().port
        answers = await asyncio.gather(ask(number, b"one"), ask(number, b"two"))
        print(*(answer.decode() for answer in answers))
    finally:
        await service.stopService().asFuture(asyncio.get_running_loop())


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    asyncioreactor.install(loop)
    react(lambda reactor: Deferred.fromFuture(loop.create_task(talk(reactor))))
