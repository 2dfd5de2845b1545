"""Run one emulated AWS account in the foreground: ``python -m ops_platform.embedded.aws``."""

import argparse
import logging
import os
import sys
from pathlib import Path

from ops_platform.embedded.aws.account import EmbeddedAccount
from ops_platform.embedded.aws.lifetime import Lifetime
from ops_platform.embedded.aws.timing import Timing, parse_timing
from ops_platform.settings.edition import REGION


def main(arguments: list[str]) -> int:
    """Run an account until a signal comes or the parent is gone; return the exit code."""
    options = _parser().parse_args(arguments)
    lifetime = Lifetime(options.parent or os.getppid())
    account = EmbeddedAccount(options.name, options.account, options.port, options.region)
    try:
        timing = parse_timing(options.timing)
    except ValueError as error:
        return _refuse(str(error))
    return _run(account, lifetime, options.folder, options.shared_s3, timing)


def _run(
    account: EmbeddedAccount,
    lifetime: Lifetime,
    folder: Path,
    shared_s3: str | None,
    timing: Timing,
) -> int:
    _enter(account)
    try:
        from ops_platform.embedded.aws import runtime, server  # noqa: PLC0415 — see _enter
    except ModuleNotFoundError as error:
        return _refuse(f"{error}. Install the extra: pip install 'ops-platform[embedded]'.")
    try:
        running = runtime.Runtime(account, runtime.RuntimeOptions(folder, shared_s3, timing))
    except server.PortTakenError as error:
        return _refuse(str(error))
    try:
        running.start()
        sys.stdout.write(f"AWS account {account.name} ({account.account_id}) is ready on ")
        sys.stdout.write(f"{account.endpoint_url}\n")
        sys.stdout.flush()
        lifetime.wait(running.is_working)
        return 0 if running.is_working() else _refuse("The scheduler failed; see above.")
    finally:
        running.close()


def _enter(account: EmbeddedAccount) -> None:
    """Make this process the account, before moto is imported: moto looks here then."""
    logging.basicConfig(level=logging.ERROR)
    # It reports each failing task of a flow as an error of its own.
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
    os.environ.update(
        account.environment, MOTO_PORT=str(account.port), MOTO_ACCOUNT_ID=account.account_id
    )
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ops_platform.embedded.aws", description=__doc__)
    parser.add_argument("--name", required=True, help="what the platform calls the account")
    parser.add_argument("--account", required=True, help="the twelve digits of its id")
    parser.add_argument("--port", required=True, type=int, help="its port on the loopback")
    parser.add_argument("--folder", required=True, type=Path, help="for jobs and metadata")
    parser.add_argument("--region", default=REGION)
    parser.add_argument("--shared-s3", metavar="URL", help="the account that owns the datastore")
    parser.add_argument("--parent", type=int, help="end with this process")
    parser.add_argument("--timing", action="append", default=[], metavar="NAME=SECONDS")
    return parser


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 2


if __name__ == "__main__":
    code = main(sys.argv[1:])
    # Everything is ended by now; taking moto's modules and threads apart would last a second.
    sys.stdout.flush()
    os._exit(code)
