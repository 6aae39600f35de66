"""Documents, blobs, the log, the bundle, and what became of intents, over HTTP; one router a module."""
