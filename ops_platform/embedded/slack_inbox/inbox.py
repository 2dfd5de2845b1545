"""The inbox as a whole: started, asked and made to fail from Python."""

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from ops_platform.embedded.slack_inbox.calls import Call, Calls
from ops_platform.embedded.slack_inbox.faults import Fault, Faults
from ops_platform.embedded.slack_inbox.mentions import pings
from ops_platform.embedded.slack_inbox.misbehave import Dispatcher
from ops_platform.embedded.slack_inbox.page import Page
from ops_platform.embedded.slack_inbox.rates import Limiter, Rates
from ops_platform.embedded.slack_inbox.server import Parts, Server
from ops_platform.embedded.slack_inbox.store import Channel, Message, Store
from ops_platform.embedded.slack_inbox.surroundings import Surroundings
from ops_platform.embedded.slack_inbox.workspace import CHANNELS, USERS, User, Workspace


class SlackInbox:
    """A Slack workspace on a loopback port; without a folder it forgets when it stops."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        port: int = 0,
        channels: Iterable[Channel] = CHANNELS,
        users: Iterable[User] = USERS,
        create_channels: bool = False,
        rates: Rates | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = Store(folder)
        for channel in channels:
            self.store.put_channel(channel)
        self.workspace = Workspace(self.store, users, create_channels=create_channels)
        self._faults = Faults()
        self._calls = Calls(clock)
        self._clock = clock
        try:
            self._server = Server(port)
        except OSError:
            self.store.close()
            raise
        limiter = Limiter(rates or Rates(), clock)
        around = Surroundings(self.store, self.workspace, limiter, clock, self.url)
        self._dispatcher = Dispatcher(around, self._faults, self._calls)
        self._server.parts = Parts(
            self.store, self._faults, self._calls, self._dispatcher, Page(self.workspace)
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.daemon = True

    @property
    def url(self) -> str:
        """The address of the page."""
        return self._server.url

    @property
    def api_url(self) -> str:
        """The address for the ``base_url`` of a Slack client."""
        return f"{self.url}/api/"

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Answer no more and free the port; what was stored can still be read."""
        self._dispatcher.closing.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self.store.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def channel(self, name: str) -> Channel:
        """Return a channel by name or id."""
        for channel in self.store.channels():
            if name.removeprefix("#") in (channel.name, channel.id):
                return channel
        raise KeyError(f"The inbox has no channel {name}.")

    def messages(self, channel: str | None = None) -> list[Message]:
        """Return messages and replies as they stand, by time, of one channel or of all."""
        return self.store.messages(None if channel is None else self.channel(channel).id)

    def replies(self, message: Message) -> list[Message]:
        """Return the replies to a message, by time."""
        return self.store.replies(message.channel, message.ts)

    def versions(self, message: Message) -> list[Message]:
        """Return a message as it was posted and after each edit."""
        return self.store.versions(message.channel, message.ts)

    def calls(self, method: str | None = None) -> list[Call]:
        """Return the calls of one method or of all, in order."""
        return [call for call in self._calls.all() if method in (None, call.method)]

    def fail(self, fault: Fault) -> None:
        """Let the next calls of a method go wrong."""
        self._faults.plan(fault)

    def heal(self) -> None:
        """Let everything work again."""
        self._faults.clear()

    def revoke(self, token: str) -> None:
        """Let a token open nothing any more."""
        self.workspace.revoke(token)

    def say(self, channel: str, text: str, *, user: str = USERS[0].id) -> Message:
        """Post a message as a person would."""
        where = self.channel(channel).id
        message = Message(
            channel=where,
            ts=self.store.next_ts(where, self._clock()),
            user=user,
            text=text,
            pings=pings(text, [], self.workspace.known_ids()),
        )
        self.store.put_message(message)
        return message
