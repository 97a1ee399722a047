from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.interfaces import IConsumer
from twisted.internet.task import react
from zope.interface import implementer

from echod.client.talk.answers import Answers
from echod.client.talk.comparison import Comparison
from echod.client.talk.greet import GreetedProtocol
from echod.client.talk.tcp import ConversationProtocol
from echod.client.talk.udp import DatagramConversationProtocol

HERE = "127.0.0.1"
PATIENCE = 5.0


@implementer(IConsumer)
class Received:
    """
    Keeps the bytes that it is given.
    """

    def __init__(self) -> None:
        self.data = b""

    def registerProducer(self, producer: object, streaming: bool) -> None:
        pass

    def unregisterProducer(self) -> None:
        pass

    def write(self, data: bytes) -> None:
        self.data += data


class Datagrams(DatagramConversationProtocol):
    """
    Talks to the UDP echo.
    """

    def startProtocol(self) -> None:
        transport: Any = self.transport
        transport.connect(HERE, 8080)


async def main(reactor: Any) -> None:
    received: Any = Received()
    greeted = GreetedProtocol(reactor, PATIENCE, received.write)
    await connectProtocol(TCP4ClientEndpoint(reactor, HERE, 9999), greeted)
    print("closed by the server:", await greeted.finished, received.data)

    received = Received()
    talk = ConversationProtocol(reactor, PATIENCE, received)
    await connectProtocol(TCP4ClientEndpoint(reactor, HERE, 8080), talk)
    talk.send(b"hello")
    talk.finishSending()
    print(await talk.finished, received.data)
    comparison: Comparison = talk.comparison
    print(f"{comparison.outstanding} bytes missing, difference: {comparison.difference}")

    datagrams = Datagrams(reactor, PATIENCE, print, lambda lost: print("lost:", lost))
    port = reactor.listenUDP(0, datagrams, interface=HERE)
    datagrams.send(b"one")
    datagrams.send(b"two")
    datagrams.finishSending()
    answers: Answers = await datagrams.finished
    print(f"{answers.sent} datagrams sent, {answers.answered} came back")
    await port.stopListening()


if __name__ == "__main__":
    react(main)
