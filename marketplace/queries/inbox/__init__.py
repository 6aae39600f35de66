"""What panel nodes and vaults hand in, and what they are given to do.

Both poll: a task is a lease in the database that runs out and is given again, so a node or vault that vanishes holds
nothing up for longer than that. Everything handed in is signed, is checked before it counts, and is kept as a document.
"""
