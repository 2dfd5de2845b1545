"""The errors a user can do something about.

The tree, each branch next to what raises it::

    PlatformError
    ├── SettingsError        settings/problems.py
    ├── AwsError             adapters/aws_errors.py
    ├── LedgerError          adapters/ledger/database.py
    └── StateFolderError, PostgresError, PortTakenError, ...   embedded/

The command line shows their text without a traceback and ends with exit code 2.
"""


class PlatformError(Exception):
    """Its text says what went wrong and what to do; it is shown without a traceback."""
