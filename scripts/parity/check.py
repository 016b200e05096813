"""Checks the models of a bundle in plain onnxruntime, without Espalier: python check.py <folder of a bundle>.

Needs numpy and onnxruntime. Reads each parity-samples.json: feeds its inputs to the ONNX file that it names, and compares every output
with the one that it gives, within its tolerance. Prints one JSON line per file; the exit status is 1 where one differs.
"""
import json
import pathlib
import sys

import numpy as np
import onnxruntime as ort


def array(t):
    kind = {"float32": np.float32, "float64": np.float64, "int32": np.int32, "int64": np.int64, "bool": np.bool_}[t["type"]]
    return np.array(t["data"], dtype=kind).reshape(t["dims"])


failed = False
for samples in sorted(pathlib.Path(sys.argv[1]).rglob("parity-samples.json")):
    for sample in json.loads(samples.read_text(encoding="utf-8"))["graphs"]:
        session = ort.InferenceSession(str(samples.parent / sample["path"]), providers=["CPUExecutionProvider"])
        names = list(sample["outputs"])
        outputs = session.run(names, {name: array(t) for name, t in sample["inputs"].items()})
        expected = [array(sample["outputs"][name]) for name in names]
        same = all(a.shape == b.shape for a, b in zip(outputs, expected))
        difference = max((float(np.max(np.abs(a.astype(np.float64) - b))) for a, b in zip(outputs, expected) if b.size), default=0.0) if same else None
        passed = same and difference <= sample["tolerance"]
        failed |= not passed
        row = {"file": str((samples.parent / sample["path"]).relative_to(sys.argv[1])), "max_abs_diff": difference, "passed": passed}
        row["metadata"] = session.get_modelmeta().custom_metadata_map
        print(json.dumps({**row, "onnxruntime": ort.__version__}))
sys.exit(1 if failed else 0)
