"""The door: intake, ledger, worker."""
