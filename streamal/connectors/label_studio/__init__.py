"""Label Studio as the review tool: reviews become its tasks, its annotations become labels.

Two systems of record meet here: Label Studio knows what people answered, the log knows what was
published. The bridge compares them and publishes the difference, so it may be killed at any time
and owns nothing that is not in one of them (docs/decisions/0012).
"""
