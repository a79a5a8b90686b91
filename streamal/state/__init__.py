"""What a role keeps besides the log: a SQLite view of it, and signed snapshots of the model.

Both can be lost at any time: the view is replayed from its topics, a model from its labels. May
import ports, core, events and errors; neither `broker` nor `telemetry`.
"""

from streamal.state.measures import (
    LabelledReview,
    ReviewMeasures,
    ReviewOutcome,
    WindowTotals,
)
from streamal.state.pending import (
    Answer,
    Applied,
    PendingView,
    Registered,
    Rejected,
    Verdict,
)
from streamal.state.snapshots import (
    Signer,
    Snapshot,
    SnapshotAssembler,
    Versions,
    dump,
    load,
    new_header,
    pack,
    pack_heartbeat,
    versions,
)

__all__ = [
    "Answer",
    "Applied",
    "LabelledReview",
    "PendingView",
    "Registered",
    "Rejected",
    "ReviewMeasures",
    "ReviewOutcome",
    "Signer",
    "Snapshot",
    "SnapshotAssembler",
    "Verdict",
    "Versions",
    "WindowTotals",
    "dump",
    "load",
    "new_header",
    "pack",
    "pack_heartbeat",
    "versions",
]
