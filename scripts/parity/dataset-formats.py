"""Reads what dataset-formats.mjs wrote, with the tools that each format is of; fails where one of them sees other rows."""

import csv
import json
import os
import sys
import tarfile

import datasets
import mlcroissant
import pyarrow.parquet
import spacy
from spacy.training import Example

folder = sys.argv[1]
file = lambda name: os.path.join(folder, name)


def unpacked(name):
    target = file(name + ".folder")
    with tarfile.open(file(name)) as archive:
        archive.extractall(target, filter="data")
    return target


texts = ["fly 😀 to Paris", '=1+1, "q"\nline']

with open(file("csv.csv"), newline="", encoding="utf-8") as handle:
    rows = list(csv.DictReader(handle))
assert [row["text"] for row in rows] == [texts[0], "'" + texts[1]], rows
assert [row["expected_intent"] for row in rows] == ["book_flight", "calc"]
print("csv: ok")

table = pyarrow.parquet.read_table(file("parquet.parquet")).to_pylist()
assert [row["text"] for row in table] == texts
assert table[0]["expected_entities"] == [{"text": "Paris", "label": "CITY", "start": 10, "end": 15}]
print("pyarrow: ok")

loaded = datasets.load_dataset(unpacked("huggingface.tar"), cache_dir=file("cache"))["train"]
assert loaded["text"][:] == texts
(entity,) = loaded[0]["expected_entities"]
assert loaded[0]["text"][entity["start"] : entity["end"]] == "Paris", entity
with open(file("huggingface-columns.columns.json"), encoding="utf-8") as handle:
    assert datasets.Dataset.from_dict(json.load(handle))[0] == {"text": texts[0], "labels": "book_flight"}
print("datasets", datasets.__version__, "ok")

nlp = spacy.blank("en")
with open(file("spacy.spacy.json"), encoding="utf-8") as handle:
    v3 = json.load(handle)
with open(file("spacy-list.spacy-list.json"), encoding="utf-8") as handle:
    older = [{"text": text, **annotations} for text, annotations in json.load(handle)]
for form in (v3, older):
    found = [
        Example.from_dict(nlp.make_doc(one["text"]), {"entities": [tuple(e) for e in one["entities"]], "cats": one["cats"]}).reference
        for one in form
    ]
    assert [(span.text, span.label_) for span in found[0].ents] == [("Paris", "CITY")]
    assert found[0].cats == {"intent:book_flight": 1, "intent:calc": 0, "sentiment:positive": 1}, found[0].cats
print("spaCy", spacy.__version__, "ok")

described = mlcroissant.Dataset(jsonld=os.path.join(unpacked("croissant.croissant.tar"), "metadata.json"))
assert [record["rows/text"].decode() for record in described.records("rows")] == texts
print("mlcroissant: ok")
