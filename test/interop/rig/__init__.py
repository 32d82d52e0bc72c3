"""The rig of the interop tests: nodes to test against, clients to test with, and an independent look at the wire."""
