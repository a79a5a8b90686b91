"""What people do around a running pipeline: make topics, check, look inside, print contracts."""
