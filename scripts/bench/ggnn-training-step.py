"""The peer of ggnn-training-step.mjs and ggnn-small.mjs: the same step in PyTorch, on the same numbers. argv: tensors file, sizes as JSON,
"eager" or "compile". Prints one JSON line (version, first loss, first gradient norm), then per line read from stdin (a count) that many
step times in ms, with the peak memory in MB."""
import json
import resource
import sys
import time

import torch

path, size, mode = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
torch.set_num_threads(size["threads"])
with open(path, "rb") as f:
    shapes = json.loads(f.readline())
    t = {}
    for name, _, dims in shapes:
        count = 1
        for d in dims:
            count *= d
        t[name] = torch.frombuffer(bytearray(f.read(4 * count)), dtype=torch.float32).reshape(dims).clone()
x, adjacency, labels = t.pop("node_features"), t.pop("adjacency"), t.pop("labels")
p = {name: torch.nn.Parameter(value) for name, value in t.items()}
batch, n, h = x.shape[0], x.shape[1], size["hidden"]
# column 2 j + direction, one matrix per direction
along, against = adjacency[:, :, 0::2].contiguous(), adjacency[:, :, 1::2].contiguous()
optimizer = torch.optim.Adam(p.values(), lr=1e-3)
target = torch.softmax(labels, -1)
linear = torch.nn.functional.linear


def loss_of():
    s = linear(x, p["input.weight"], p["input.bias"])
    w_along, w_against = p["message.weight"].chunk(2)
    for _ in range(size["steps"]):
        m = along @ linear(s, w_along) + against @ linear(s, w_against)
        mr, mz, mn = linear(m, p["gru.weight_ih"], p["gru.bias_ih"]).chunk(3, -1)
        hr, hz, hn = linear(s, p["gru.weight_hh"], p["gru.bias_hh"]).chunk(3, -1)
        z, r = torch.sigmoid(mz + hz), torch.sigmoid(mr + hr)
        c = torch.tanh(mn + r * hn)
        s = c + z * (s - c)
    branch = lambda k: linear(s, p[k + ".state"]) + linear(x, p[k + ".features"], p[k + ".bias"])
    pooled = (torch.sigmoid(branch("gate")) * torch.tanh(branch("value"))).sum(1)
    scores = linear(pooled, p["score.weight"]).view(labels.shape)
    return -(target * torch.log_softmax(scores, -1)).sum(-1).mean()


forward = torch.compile(loss_of) if mode == "compile" else loss_of


def step():
    optimizer.zero_grad(set_to_none=True)
    loss = forward()
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(p.values(), float("inf"))
    optimizer.step()
    return loss.item(), norm.item()


loss, norm = step()
for _ in range(size["warmUp"]):
    step()
print(json.dumps({"version": torch.__version__, "loss": loss, "norm": norm}), flush=True)
for line in sys.stdin:
    times = []
    step()
    for _ in range(int(line)):
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({"times": times, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)
