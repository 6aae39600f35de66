"""Evidence: documents, the log, anchors and the bundle for auditors."""
