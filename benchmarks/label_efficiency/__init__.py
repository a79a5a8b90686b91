"""How much accuracy does a label buy? Ours and other libraries' gates, same stream, same learner.

    python -m benchmarks.label_efficiency [DATA:LABEL ...] [--seeds 5] [--jobs 2] [--json PATH]

`gates` compares gates: each decides which labels the same River learner gets. `learners` compares
the learners that streamal ships behind streamal's default gate, in the lab.
"""
