"""Speaking HTTP to a service that is not trusted: transport, sign-in, what the service says of itself, its refusals."""
