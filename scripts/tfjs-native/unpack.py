"""Takes the named files of a wheel out of it: python3 unpack.py WHEEL FOLDER PREFIX... (a prefix that ends in / is a folder)."""

import sys
import zipfile

wheel, folder, *prefixes = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    names = [n for n in archive.namelist() if any(n == p or (p.endswith("/") and n.startswith(p)) for p in prefixes)]
    for prefix in prefixes:
        if not any(n.startswith(prefix) for n in names):
            sys.exit(f"{wheel} has no {prefix}")
    archive.extractall(folder, names)
