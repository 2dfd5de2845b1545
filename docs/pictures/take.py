"""Take the pictures of the README from a running embedded edition, with headless Chromium.

    make run                                   # in one terminal, until the demo has told its story
    .venv/bin/python docs/pictures/take.py     # in another

Chromium must be installed (on Debian: the package chromium).
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

FOLDER = Path(__file__).parent
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)
# Dagster's pages fill themselves by several requests, one after the other.
SETTLE_MILLISECONDS = 30_000
CLEANUP = "staging/stale_job_cleanup"
MADE = """query($path: [String!]!) { assetNodes(assetKeys: [{path: $path}]) {
    assetMaterializations(limit: 100) { timestamp metadataEntries {
        label ... on IntMetadataEntry { intValue } } } } }"""


def main() -> int:
    """Take every picture; exit code 1 if one could not be taken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, default=Path(".ops-platform"))
    parser.add_argument("--into", type=Path, default=FOLDER)
    given = parser.parse_args()
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    addresses = given.state / "embedded.json"
    if browser is None or not addresses.exists():
        missing = "Chromium is not installed" if browser is None else f"there is no {addresses}"
        sys.stderr.write(f"{missing}; see the head of {Path(__file__).name}.\n")
        return 1
    pages = _pages(json.loads(addresses.read_text()))
    return max(_take(browser, url, given.into / f"{name}.png", size) for name, url, size in pages)


def _pages(addresses: dict[str, str]) -> list[tuple[str, str, str]]:
    dagster, slack = addresses["dagster_url"].rstrip("/"), addresses["slack_url"]
    inbox = slack.removesuffix("api/")
    flow = f"{dagster}/assets/flows/staging/demand/ForecastDemand"
    sensor = f"{dagster}/locations/ops_platform/sensors/ingest_events_staging"
    return [
        ("slack", inbox, "1200,900"),
        ("slack-stale-job", f"{inbox}#{_cancelled_message(inbox)}", "1200,630"),
        ("dagster-assets", f"{dagster}/assets", "1400,800"),
        ("dagster-flow", f"{flow}?view=events", "1400,900"),
        ("dagster-sensor", sensor, "1400,900"),
        ("dagster-stale-jobs", f"{dagster}/assets/{CLEANUP}?{_cleanup(dagster)}", "1800,900"),
    ]


def _cancelled_message(inbox: str) -> str:
    """Return the anchor of the first message that tells of a cancelled job, if there is one."""
    page = _answer(Request(inbox))  # noqa: S310
    messages = page.split("<article ")[1:]
    told = (each for each in messages if "cancelled as stale" in each)
    found = re.search(r'id="([^"]+)"', next(told, ""))
    return found[1] if found else ""


def _cleanup(dagster: str) -> str:
    """Return what leads to the first cleanup that cancelled a job, if there is one."""
    query = json.dumps({"query": MADE, "variables": {"path": CLEANUP.split("/")}}).encode()
    asked = Request(f"{dagster}/graphql", query, {"Content-Type": "application/json"})  # noqa: S310
    nodes = json.loads(_answer(asked) or '{"data": {"assetNodes": []}}')["data"]["assetNodes"]
    made = [each for node in nodes for each in node["assetMaterializations"]]
    acted = [each["timestamp"] for each in made if _number(each, "acted_on")]
    return f"view=events&time={acted[-1]}" if acted else "view=events"


def _answer(asked: Request) -> str:
    try:
        with urlopen(asked) as answer:  # noqa: S310 - loopback
            return str(answer.read().decode())
    except HTTPError:
        return ""


def _number(materialization: dict[str, Any], label: str) -> int:
    entries = materialization["metadataEntries"]
    return next((it["intValue"] for it in entries if it["label"] == label), 0)


def _take(browser: str, url: str, picture: Path, size: str) -> int:
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, *FLAGS, f"--user-data-dir={profile}", f"--window-size={size}"]
        command += [
            f"--virtual-time-budget={SETTLE_MILLISECONDS}",
            f"--screenshot={picture.resolve()}",
            url,
        ]
        subprocess.run(command, check=False, capture_output=True, timeout=120)
    taken = picture.is_file() and picture.stat().st_size > 0
    sys.stdout.write(f"{picture}\n" if taken else f"{url} could not be taken\n")
    return 0 if taken else 1


if __name__ == "__main__":
    sys.exit(main())
