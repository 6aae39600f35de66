"""The client side: what a participant's own machine does. It never trusts the service; it checks what it is told.

`client.Client` speaks HTTP and signs in; one module per stage holds the verbs, named like the CLI commands and the
HTTP operations. `home.Home` is the participant's folder, `keys.Keys` its signing keys, `journal.Journal` what it must
never forget.
"""
