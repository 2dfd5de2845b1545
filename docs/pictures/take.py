"""Take the pictures of the README from a running embedded edition, with headless Chromium.

    make run                                   # in one terminal, until the demo has told its story
    .venv/bin/python docs/pictures/take.py     # in another

Chromium must be installed (on Debian: the package chromium).
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

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
    dagster = addresses["dagster_url"].rstrip("/")
    flow = f"{dagster}/assets/flows/staging/demand/ForecastDemand"
    sensor = f"{dagster}/locations/ops_platform/sensors/ingest_events_staging"
    return [
        ("slack", addresses["slack_url"].removesuffix("api/"), "1200,900"),
        ("dagster-assets", f"{dagster}/assets", "1400,800"),
        ("dagster-flow", f"{flow}?view=events", "1400,900"),
        ("dagster-sensor", sensor, "1400,900"),
    ]


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
