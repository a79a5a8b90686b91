"""The review console: where people answer, and see how it goes, with nothing else installed.

A role like the others: it talks to them through topics only, `reviews` and `labels` above all. May
import `streamal.roles` and what lies below it; its web libraries are the extra `streamal[console]`.
"""
