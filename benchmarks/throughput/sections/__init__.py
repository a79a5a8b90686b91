"""The measurements, one a module; each has `run(bench) -> Result`."""
