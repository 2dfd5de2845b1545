"""Rules and exemptions of stale jobs: what is read, refused and noted."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops_platform.settings.notes import notes
from ops_platform_tests.settings.files import ACCOUNT, load_file, problems_of

RULE = "[[stale_jobs.rules]]\n"
EXEMPTION = '[[stale_jobs.exemptions]]\nreason = "a wait"\nuntil = 2026-12-31\n'


def test_an_account_observes_until_somebody_says_otherwise(tmp_path: Path) -> None:
    """A new account must not lose a job to a default."""
    assert load_file(tmp_path, ACCOUNT).account("staging").stale_jobs == "observe"


def test_an_exemption_ends_with_its_last_day(tmp_path: Path) -> None:
    """In UTC, as all our times."""
    settings = load_file(tmp_path, f'{ACCOUNT}{EXEMPTION}flow = "Year*"\n')

    (exemption,) = settings.stale_jobs.exemptions
    assert exemption.ends_at == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            f"{RULE}stuck_minutes = 5",
            "stale_jobs.rules[0]: is for every job; give one of account, queue, flow, owner, gpu,"
            " or set it in [stale_jobs]",
            id="a rule for every job",
        ),
        pytest.param(
            f"{RULE}gpu = true",
            "stale_jobs.rules[0]: changes nothing; give what differs, such as stuck_minutes",
            id="a rule that changes nothing",
        ),
        pytest.param(
            f'{RULE}account = "stagin"\nby_age = true',
            'stale_jobs.rules[0].account: there is no account "stagin"; did you mean staging?',
            id="slip in a rule's account",
        ),
        pytest.param(
            EXEMPTION,
            "stale_jobs.exemptions[0]: spares every job; give one of account, flow, tag, parameter,"
            ' or set stale_jobs = "observe" for an account',
            id="an exemption for every job",
        ),
        pytest.param(
            f'{EXEMPTION}tag = "team"',
            'stale_jobs.exemptions[0].tag: "team" is not allowed; give a key and a value such as'
            ' "team=search", in whose value * stands for anything',
            id="a tag without a value",
        ),
        pytest.param(
            '[[stale_jobs.exemptions]]\nreason = "x"\nflow = "F"\nuntil = "2026-12-31"',
            'stale_jobs.exemptions[0].until: "2026-12-31" is not allowed; give a date without'
            " quotes, such as 2026-12-31",
            id="a date in quotes",
        ),
        pytest.param(
            '[[stale_jobs.exemptions]]\nflow = "F"\nuntil = 2026-12-31',
            "stale_jobs.exemptions[0].reason: missing; give a sentence of at most 500 characters",
            id="no reason",
        ),
        pytest.param(
            '[stale_jobs]\nend = "both"',
            'stale_jobs.end: "both" is not allowed; give "job" or "run"',
            id="an end there is not",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, problem: str) -> None:
    """With the way out."""
    assert problem in problems_of(tmp_path, f"{ACCOUNT}{text}")


def test_an_exemption_that_is_over_is_noted(tmp_path: Path) -> None:
    """It has no effect any more, which its author may not expect."""
    settings = load_file(tmp_path, f'{ACCOUNT}{EXEMPTION}flow = "F"\n')
    after = datetime(2027, 1, 1, tzinfo=UTC)

    assert "stale_jobs.exemptions[0] is over since 2026-12-31; take it out." in notes(
        settings, {}, now=after
    )
