"""Where rows and blobs live: the engine and its sessions, column types, migrations, and the content-addressed store."""
