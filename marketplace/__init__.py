"""A trusted data marketplace: rights, sealed queries, settlement, and an audit that trusts nobody."""
