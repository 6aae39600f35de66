"""The client side: what a participant's own machine does. It never trusts the service; it checks what it is told.

    home        the participant's folder: keystore, journal of what must never be forgotten, call records, kept blobs
    http        speaking to a service: transport, sign-in, its profile, its refusals; uses home alone
    client.py   a connection that also carries signed intents, documents and blobs; opening.py makes one of a folder

Above them one module or room for each group of the command line's verbs, which are named like it and like the HTTP
operations; analyst is the same for a notebook.
"""
