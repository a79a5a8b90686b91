"""What an event costs: streamal's gate beside hand-written loops and other frameworks.

    python -m benchmarks.throughput [--only NAME,...] [--json PATH]

`peers` holds the programs that are compared, each run in a process of its own; `sections` the
measurements, each a table and an entry of the JSON; the modules here are what those share.
"""
