"""Starts the suite's `wstest` (Python 2.7) so that it listens on 127.0.0.1 alone.

As a server it would listen on every address, whatever its own address says.
"""

# It chooses the event loop, so it comes before anything else of the suite.
from autobahntestsuite import wstest
from twisted.internet import reactor

listen = reactor.listenTCP
reactor.listenTCP = lambda port, factory, backlog=50, interface="": listen(port, factory, backlog, "127.0.0.1")

if __name__ == "__main__":
    wstest.run()
