"""The only room that knows the chain: intents queued with business rows, sealed into blocks, followed as events."""
