"""What `scripts/bench.py` measures, and how.

figures.py    what a row says: a measured value beside its goal and its bound
stage.py      one ComfyUI, one local server; runs a graph and tells what it took
server.py     that server: the sandbox, and in front of it standin.py for ComfyUI's own node
nodes/        nodes and routes that the benchmark brings into ComfyUI
graphs.py     the same tasks for the pack and for ComfyUI's own node
waiting.py    rows: time beyond the provider's
queueing.py   rows: many tasks on one key; schedules.py has the best there is
pictures.py   rows: pictures down and up
pacer.py      row: the cost of a decision, and plot.py its picture
report.py     the table, bench.json and the README's copy
"""
