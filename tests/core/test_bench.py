"""`make bench` runs on a hundredth of its data; how fast is nobody's test."""

import re
import subprocess
import sys

from trilake.core.paths import SCRIPTS


def test_every_figure_stands_beside_another() -> None:
    words = [sys.executable, "-m", "bench", "--scale", "0.01"]
    table = subprocess.run(words, cwd=SCRIPTS, capture_output=True, text=True, check=True).stdout.splitlines()
    assert table[0].split() == ["benchmark", "size", "seconds", "a", "second", "beside", "it"]
    names = [line.split("  ")[0] for line in table[2:]]
    assert {"FHIR check", "VCF to Parquet, all columns", "DICOM headers", "S3 put", "S3 get"} <= set(names)
    where = table[0].index("beside it")
    assert all(re.search(r"\d", line[where:]) for line in table[2:]), "each figure stands beside a number"
