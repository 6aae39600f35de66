"""What service, panel, key holders and buyer hand each other about one query, sealed and signed."""
