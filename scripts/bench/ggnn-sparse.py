"""The peer of ggnn-sparse.mjs: PyTorch Geometric's GatedGraphConv on the same graph and parameters. argv: tensors file, sizes as JSON,
"train" or "infer", "eager" or "compile". Prints one JSON line, then per line read from stdin (a count) that many times in ms, with the peak
memory in MB."""
import json
import resource
import sys
import time

import torch
import torch_geometric
from torch_geometric.nn import GatedGraphConv

path, size, mode, how = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3], sys.argv[4]
torch.set_num_threads(size["threads"])
types = {"float32": torch.float32, "int32": torch.int32}
with open(path, "rb") as f:
    t = {}
    for name, kind, dims in json.loads(f.readline()):
        count = 1
        for d in dims:
            count *= d
        t[name] = torch.frombuffer(bytearray(f.read(4 * count)), dtype=types[kind]).reshape(dims).clone()
x, edges = t["x"], t["edges"].T.long().contiguous()
model = GatedGraphConv(size["hidden"], size["steps"])
with torch.no_grad():
    # ours are stored [out, in], PyG multiplies from the right
    model.weight.copy_(torch.stack([t[f"message.weight.{i}"].T for i in range(size["steps"])]))
    for ours, theirs in [("weight_ih", "weight_ih"), ("weight_hh", "weight_hh"), ("bias_ih", "bias_ih"), ("bias_hh", "bias_hh")]:
        getattr(model.rnn, theirs).copy_(t[f"gru.{ours}"])
    first = model(x, edges)[0, 0].item()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
forward = torch.compile(model) if how == "compile" else model


def train():
    optimizer.zero_grad(set_to_none=True)
    loss = forward(x, edges).pow(2).mean()
    loss.backward()
    optimizer.step()
    return loss.item()


def infer():
    with torch.no_grad():
        forward(x, edges)


step = train if mode == "train" else infer
loss = step()
for _ in range(4):
    step()
print(json.dumps({"version": torch.__version__, "pyg": torch_geometric.__version__, "loss": loss, "first": first}), flush=True)
for line in sys.stdin:
    times = []
    step()
    for _ in range(int(line)):
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({"times": times, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)
