"""One module per version of the ledger, in order."""
