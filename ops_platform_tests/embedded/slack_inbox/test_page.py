"""The page, attacked: nothing that came from outside becomes markup of ours."""

from html.parser import HTMLParser
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk import WebClient

from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.embedded.slack_inbox.markup import link, mrkdwn, plain
from ops_platform.embedded.slack_inbox.workspace import USERS
from ops_platform_tests.embedded.slack_inbox.answers import actions, button, section

NAMES = {"U0ADA00001": "Ada", "C1": "general"}
TAGS = {"strong", "em", "del", "code", "pre", "br", "blockquote", "a", "span"}

HTML = {
    "*bold* _italic_ ~gone~": "<strong>bold</strong> <em>italic</em> <del>gone</del>",
    "_*both*_": "<em><strong>both</strong></em>",
    "2*3*4 and snake_case_name": "2*3*4 and snake_case_name",
    "`a *b* <c>`": "<code>a *b* &lt;c&gt;</code>",
    "```\nx &lt; y\n```": "<pre>x &lt; y</pre>",
    "a\nb": "a<br>b",
    "&gt; is not a quote inside": "<blockquote>is not a quote inside</blockquote>",
    "<@U0ADA00001>": '<span class="mention">@Ada</span>',
    "<@U0NOBODY99>": '<span class="mention unknown">@U0NOBODY99</span>',
    "<!channel>": '<span class="mention">@channel</span>',
    "<#C1>": '<span class="mention">#general</span>',
    "<!date^1767225600^{date}|2026-01-01 00:00:00Z>": "2026-01-01 00:00:00Z",
    "<!subteam^S1|@team>": '<span class="mention unknown">@team</span>',
    ":x: :nosuch: 12:30:45": "❌ :nosuch: 12:30:45",
    "<script>alert(1)</script>": "scriptalert(1)/script",
    "&lt;script&gt;": "&lt;script&gt;",
    "&amp;lt;b&amp;gt;": "&amp;lt;b&amp;gt;",
    "&#60;b&#62;": "&amp;#60;b&amp;#62;",
    "<javascript:alert(1)|click>": "click",
    "<https://x/?a=1&amp;b=2|*l*>": (
        '<a href="https://x/?a=1&amp;b=2" rel="noopener noreferrer" target="_blank">*l*</a>'
    ),
    'https://x/"onmouseover=alert(1)': (
        '<a href="https://x/&quot;onmouseover=alert(1)" rel="noopener noreferrer" '
        'target="_blank">https://x/&quot;onmouseover=alert(1)</a>'
    ),
    "\ue0000\ue001": "0",
}


@pytest.mark.parametrize(("text", "html"), HTML.items())
def test_markup_is_shown_as_slack_shows_it(text: str, html: str) -> None:
    """One row for each kind of markup and each trick."""
    assert mrkdwn(text, NAMES) == html


class Tags(HTMLParser):
    """Collects the tags and addresses of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses |= {value or "" for name, value in attrs if name == "href"}


PIECES = (
    *"<>&\"'`*_~|!@#:\n \x00\ue000\ue0010",
    *("```", "script", "img src=x onerror=alert(1)", "&lt;", "&amp;", "U0ADA00001", "channel"),
    *("javascript:", "data:text/html,", "https://x", "mailto:a"),
)
HOSTILE = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@given(HOSTILE | st.text())
def test_no_text_becomes_markup_of_its_own(text: str) -> None:
    """Only our tags and attributes come out, and only addresses of the web."""
    for html in (mrkdwn(text, NAMES), plain(text)):
        found = Tags(html)
        assert found.tags <= TAGS
        assert found.attributes <= {"class", "href", "rel", "target"}
        assert all(one.lower().startswith(("http", "mailto:")) for one in found.addresses)


@given(HOSTILE)
def test_no_address_leads_out_of_the_web(url: str) -> None:
    """A link to anything but http(s) or mail is no link."""
    found = Tags(link(url, "label"))
    assert all(one.lower().startswith(("http", "mailto:")) for one in found.addresses)


def get(inbox: SlackInbox, path: str = "/") -> str:
    """Return a page."""
    with urlopen(f"{inbox.url}{path}") as answer:
        return str(answer.read().decode())


EVIL = "<img src=x onerror=alert(1)><!channel>\"'&"


def test_no_place_of_a_message_becomes_markup(inbox: SlackInbox, slack: WebClient) -> None:
    """Every field of every block is escaped."""
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": EVIL}},
        section(EVIL, fields=[{"type": "mrkdwn", "text": EVIL}], accessory=button(url=EVIL)),
        {"type": "context", "elements": [{"type": "plain_text", "text": EVIL}]},
        actions(button(text={"type": "plain_text", "text": EVIL}, url="javascript:alert(1)")),
        {"type": "image", "image_url": f"https://x/{EVIL}", "alt_text": EVIL},
        {"type": "markdown", "text": EVIL},
    ]
    attachments = [{"color": '"><script>', "title": EVIL, "text": EVIL, "blocks": [section(EVIL)]}]
    slack.chat_postMessage(channel="general", text=EVIL, blocks=blocks, attachments=attachments)
    slack.chat_postMessage(channel="general", text=EVIL, username=EVIL)
    inbox.say("general", EVIL, user="<b>")
    html = get(inbox, "/main?channel=general")
    assert "onerror=alert(1)&gt;" in html
    assert not Tags(html).tags & {"img", "script", "b ", "iframe"}
    assert not {name for name in Tags(html).attributes if name.startswith("on")}
    assert "javascript:" not in "".join(Tags(html).addresses)


def test_no_channel_becomes_markup() -> None:
    """Nor can a channel's name or the query carry any."""
    with SlackInbox(create_channels=True) as inbox:
        inbox.say("general", "t")
        html = get(inbox, "/?channel=%3Cscript%3Ealert(1)%3C/script%3E")
        assert "alert(1)" not in html


def test_nothing_of_a_message_could_run_anyway(inbox: SlackInbox) -> None:
    """The browser is told to run nothing but our own script and to fetch nothing from outside."""
    with urlopen(inbox.url) as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy


def test_the_page_shows_threads_edits_and_pings(inbox: SlackInbox, slack: WebClient) -> None:
    """What a reader must see is there."""
    post = slack.chat_postMessage(channel="general", text=f"before <@{USERS[0].id}>")
    slack.chat_postMessage(channel="general", text="in thread", thread_ts=post["ts"])
    slack.chat_update(channel=post["channel"], ts=post["ts"], text="after")
    html = get(inbox, "/?channel=general")
    for expected in ("after", "(edited)", "1 earlier version", "1 reply", "notified @Ada"):
        assert expected in html


def test_a_long_channel_shows_its_newest_messages(inbox: SlackInbox) -> None:
    """Older ones are counted rather than rendered every two seconds."""
    for number in range(305):
        inbox.say("general", f"message {number}.")
    html = get(inbox, "/?channel=general")
    assert "message 304." in html
    assert "message 4." not in html
    assert "5 older messages are not shown." in html


def test_a_reader_asks_only_for_what_changed(inbox: SlackInbox, slack: WebClient) -> None:
    """Polling costs nothing while nothing happens."""
    with urlopen(f"{inbox.url}/main?channel=general") as answer:
        version = answer.headers["ETag"]
    request = Request(f"{inbox.url}/main?channel=general", headers={"If-None-Match": version})
    with pytest.raises(HTTPError) as unchanged:
        urlopen(request)
    unchanged.value.close()
    assert unchanged.value.code == 304
    slack.chat_postMessage(channel="general", text="news")
    with urlopen(request) as answer:
        assert "news" in answer.read().decode()


@pytest.mark.parametrize(("path", "kind"), [("/page.css", "text/css"), ("/page.js", "javascript")])
def test_the_parts_of_the_page_are_served(inbox: SlackInbox, path: str, kind: str) -> None:
    """Style and script come from us."""
    with urlopen(f"{inbox.url}{path}") as answer:
        assert kind in answer.headers["Content-Type"]


@pytest.mark.parametrize("path", ["/nothing", "/../store.py", "/archives/x/y", "/store.py"])
def test_nothing_else_is_served(inbox: SlackInbox, path: str) -> None:
    """No file of the package, nor anything of another name."""
    with pytest.raises(HTTPError, match="404") as refused:
        urlopen(f"{inbox.url}{path}")
    refused.value.close()
