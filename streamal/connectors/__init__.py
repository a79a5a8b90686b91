"""Bridges to review tools that streamal does not own; each is an optional role with an extra.

May import everything below the roles, and from those only what helps any role to start and stop.
"""
