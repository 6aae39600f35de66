"""The service over HTTP, with a real ledger node, vault and panel."""
