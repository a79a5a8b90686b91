"""What a role keeps besides the log: a SQLite view of it, and signed snapshots of the model.

Both can be lost at any time: the view is replayed from its topics, a model from its labels. May
import ports, core, events and errors; neither `broker` nor `telemetry`.
"""

from streamal.state.annotators import Annotator, Annotators, Guard, Standing
from streamal.state.consensus import ConsensusRules
from streamal.state.gold import GOLD_HEADER
from streamal.state.judge import JudgeRules
from streamal.state.measures import (
    AnnotatorAnswer,
    LabelledReview,
    ReviewMeasures,
    ReviewOutcome,
    WindowTotals,
)
from streamal.state.pending import Applied, PendingView
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
from streamal.state.verdicts import (
    Answer,
    Dispute,
    Lesson,
    Quarantine,
    Registered,
    Rejected,
    Verdict,
)

__all__ = [
    "GOLD_HEADER",
    "Annotator",
    "AnnotatorAnswer",
    "Annotators",
    "Answer",
    "Applied",
    "ConsensusRules",
    "Dispute",
    "Guard",
    "JudgeRules",
    "LabelledReview",
    "Lesson",
    "PendingView",
    "Quarantine",
    "Registered",
    "Rejected",
    "ReviewMeasures",
    "ReviewOutcome",
    "Signer",
    "Snapshot",
    "SnapshotAssembler",
    "Standing",
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
