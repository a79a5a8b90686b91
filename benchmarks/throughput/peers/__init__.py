"""The minimum of a gate's job by hand and in frameworks; every module here is a program."""
