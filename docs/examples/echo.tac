from twisted.application.service import Application
from twisted.internet import reactor

from echod.tap import Options, makeService

options = Options(reactor)
options.parseOptions(["--tcp", "8080", "--udp", "8080", "--max-per-source", "10"])

application = Application("echo")
makeService(options).setServiceParent(application)
