"""Foreign text stays mere text in Slack, whatever it holds."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.mrkdwn import clip, code, escape, fence, link, mention

HOSTILE = st.lists(
    st.sampled_from(
        (
            *("<!channel>", "<@U0ADA00001>", "<!subteam^S1>", "<https://x|y>", "@here", "@channel"),
            *("&", "&amp;", "&lt;", "`", "```", "<", ">", "|", "\n", "\r", " ", "\x00", "\u202e"),
            *("\ud800", "http://x/a?b=1&c=2", "word"),
        )
    ),
    max_size=20,
).map("".join)
ANY = HOSTILE | st.text()

ENTITY = re.compile("&(?:amp|lt|gt);")
BARE_MENTION = re.compile(r"(?<!\w)@(?:channel|here|everyone|group)\b", re.IGNORECASE)


def is_mere_text(shown: str) -> bool:
    """Return whether Slack would find nothing in a text but characters."""
    without_entities = ENTITY.sub("", shown)
    return not re.search("[<>&`]", without_entities) and not BARE_MENTION.search(shown)


@given(ANY)
def test_escaped_text_is_mere_text(text: str) -> None:
    """No mention, link, code or entity can be made of foreign text."""
    assert is_mere_text(escape(text))


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"], exclude_characters="@`")))
def test_escaping_loses_nothing_that_is_printed(text: str) -> None:
    """Slack shows what was there."""
    shown = escape(text)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        shown = shown.replace(entity, character)
    assert shown == text


@given(ANY)
def test_escaped_text_can_be_sent(text: str) -> None:
    """It is valid Unicode without control characters but tabs and newlines."""
    assert re.search("[\x00-\x08\x0b-\x1f\x7f]", escape(text).encode().decode()) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a < b && c", "a &lt; b &amp;&amp; c"),
        ("&lt;", "&amp;lt;"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("`x`", "\u02cbx\u02cb"),
        ("ask @here or me@here.org", "ask @\u2060here or me@here.org"),
        ("@hereabouts, once clipped", "@\u2060hereabouts, once clipped"),
        ("\x1b[31mred\x1b[0m\x1b[2K", "red"),
        ("\x1b(odd", "(odd"),
        ("moc.elpmaxe\u202e", "moc.elpmaxe"),
    ],
)
def test_escaping_by_example(text: str, shown: str) -> None:
    """One row for each thing that Slack would take for more than text."""
    assert escape(text) == shown


@given(ANY, st.integers(min_value=-2, max_value=120))
def test_a_clipped_text_keeps_its_limit_and_its_entities(text: str, limit: int) -> None:
    """It is never longer, is a beginning of the text, and is mere text still."""
    escaped = escape(text)
    shown = clip(escaped, limit)
    assert len(shown) <= max(limit, 0)
    assert is_mere_text(shown)
    assert shown == escaped or escaped.startswith(shown.removesuffix("…"))


@given(ANY, st.integers(min_value=0, max_value=60))
def test_clipping_wastes_little(text: str, limit: int) -> None:
    """At most an entity's length is given up beyond the ellipsis."""
    escaped = escape(text)
    if len(escaped) > limit:
        assert len(clip(escaped, limit)) >= limit - len("&amp;")


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("a &amp; b", 9, "a &amp; b"),
        ("a &amp; b", 8, "a &amp;…"),
        ("a &amp; b", 7, "a …"),
        ("a &amp; b", 4, "a …"),
        ("see <https://x|label> now", 12, "see …"),
        ("see <https://x|label> now", 23, "see <https://x|label> …"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_clipping_by_example(text: str, limit: int, shown: str) -> None:
    """Entities and links are kept whole or left out."""
    assert clip(text, limit) == shown


@given(ANY, st.none() | st.integers(min_value=0, max_value=80))
def test_nothing_breaks_out_of_code(text: str, limit: int | None) -> None:
    """Inline code begins and ends with the only backticks, on one line, within its limit."""
    shown = code(text, limit)
    assert len(shown) <= (len(shown) if limit is None else limit)
    if shown:
        assert shown[0] == shown[-1] == "`"
        assert is_mere_text(shown[1:-1])
        assert "\n" not in shown


@given(ANY, st.integers(min_value=0, max_value=80))
def test_nothing_breaks_out_of_a_fence(text: str, limit: int) -> None:
    """A block of code begins and ends with the only backticks, within its limit."""
    shown = fence(text, limit)
    assert len(shown) <= limit
    if shown:
        assert shown.startswith("```\n")
        assert shown.endswith("\n```")
        assert is_mere_text(shown[4:-4])


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("one\ntwo\nthree", 40, "one\ntwo\nthree"),
        ("one\ntwo\nthree\n\n", 18, "two\nthree"),
        ("one\ntwo\nthree", 17, "two\nthree"),
        ("one\ntwo\nthree", 16, "three"),
        ("one\nthirteen", 12, "thi…"),
        ("one\n&&&&", 16, "&amp;…"),
    ],
)
def test_a_fence_keeps_the_end_of_a_log(text: str, limit: int, shown: str) -> None:
    """Whole lines, or the beginning of a last one that is too long."""
    assert fence(text, limit) == f"```\n{shown}\n```"


@given(ANY | HOSTILE.map(lambda text: f"https://{text}"), ANY)
def test_a_link_is_one_link_to_the_web_or_none(url: str, label: str) -> None:
    """Neither the address nor the label can end it early or make it a mention."""
    shown = link(url, label)
    if not shown.startswith("<"):
        assert is_mere_text(shown)
        return
    found = re.fullmatch(r"<(https?://[^<>|\s`]+)(?:\|([^<>\n]*))?>", shown, re.IGNORECASE)
    assert found
    assert is_mere_text(found[2] or "")


@pytest.mark.parametrize(
    ("url", "label", "shown"),
    [
        ("https://x/a?b=1&c=2#d", "open", "<https://x/a?b=1&amp;c=2#d|open>"),
        ("https://x/a b|c>d", "a|b", "<https://x/a%20b%7Cc%3Ed|a|b>"),
        ("https://x/100%25", "two\nlines", "<https://x/100%25|two lines>"),
        ("https://x/ü", "", "<https://x/%C3%BC>"),
        ("!channel", "click", "click"),
        ("@U0ADA00001", "click", "click"),
        ("javascript:alert(1)", "<click>", "&lt;click&gt;"),
        ("", "nothing", "nothing"),
    ],
)
def test_links_by_example(url: str, label: str, shown: str) -> None:
    """Only the web is linked to."""
    assert link(url, label) == shown


@pytest.mark.parametrize(
    ("member", "shown"),
    [
        ("U0ADA00001", "<@U0ADA00001>"),
        ("W0ADA00001", "<@W0ADA00001>"),
        ("S0TEAM0001", "<!subteam^S0TEAM0001>"),
        ("channel", "channel"),
        ("U1> <!channel", "U1&gt; &lt;!channel"),
        ("ada@example.com", "ada@example.com"),
        ("", ""),
    ],
)
def test_only_an_id_is_mentioned(member: str, shown: str) -> None:
    """A wrong setting pings nobody."""
    assert mention(member) == shown
