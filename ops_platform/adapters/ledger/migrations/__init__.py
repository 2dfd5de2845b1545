"""The ledger's migrations, run by ``ops_platform.adapters.ledger.migrate``."""
