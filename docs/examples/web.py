import sys
from typing import Any

from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import MultiService
from twisted.internet import reactor as installed
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.logger import globalLogBeginner, textFileLogObserver
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from echod.service.echoservice import EchoService
from echod.tap import Options, makeService

reactor: Any = installed


class Sessions(Resource):
    """
    Shows the number of open echo sessions.
    """

    isLeaf = True

    def __init__(self, echo: EchoService) -> None:
        super().__init__()
        self.echo = echo

    def render_GET(self, request: Request) -> bytes:
        return f"sessions: {self.echo.sessions}\n".encode()


options = Options(reactor)
options.parseOptions(["--tcp", "8080"])
echo = makeService(options)
web = StreamServerEndpointService(
    TCP4ServerEndpoint(reactor, 8000, interface="127.0.0.1"), Site(Sessions(echo))
)

services = MultiService()
echo.setServiceParent(services)
web.setServiceParent(services)

if __name__ == "__main__":
    log: Any = textFileLogObserver(sys.stdout)
    globalLogBeginner.beginLoggingTo([log])
    reactor.callWhenRunning(services.startService)
    reactor.addSystemEventTrigger("before", "shutdown", services.stopService)
    reactor.run()
