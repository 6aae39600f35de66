"""The supplier's agent. It alone holds the sealing key and the true counts; it seals data, keeps the privacy account,
and releases or refuses. It opens no port: it asks the service for work.

Order of reading: schema.py, reading.py, values.py, statistics.py, sealing.py (from file to sealed data set), folder.py
(what lies on disk), store.py (the privacy account), release.py (one decision), agent.py (the loop).
"""
