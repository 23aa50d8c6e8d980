"""Many files into a bucket: one after the other where each is answered at once, side by side where it takes its time.

Example: upload_all(s3, bucket, [(path, "imaging/staged/1/a.dcm")])

boto3's `upload_file` starts with bookkeeping that costs more than sending a small file, so it is kept for large ones.
On the laptop threads only wait for each other; over a network one put takes 20 to 50 ms, whatever the size.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

LARGE_BYTES = 64 * 1024 * 1024
TRIED_FIRST = 10
SLOW_SECONDS = 0.01
SIDE_BY_SIDE = 10  # as many connections as a boto3 client keeps

Upload = tuple[Path, str]


def upload_all(s3: Any, bucket: str, files: Sequence[Upload]) -> None:
    """Every file under its key; the first error of the service ends it."""
    first, rest = files[:TRIED_FIRST], files[TRIED_FIRST:]
    started = time.perf_counter()
    for file in first:
        put(s3, bucket, file)
    is_slow = time.perf_counter() - started > SLOW_SECONDS * len(first)
    if not is_slow:
        for file in rest:
            put(s3, bucket, file)
        return
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for done in [pool.submit(put, s3, bucket, file) for file in rest]:
            done.result()


def put(s3: Any, bucket: str, file: Upload) -> None:
    path, key = file
    if path.stat().st_size > LARGE_BYTES:
        s3.upload_file(str(path), bucket, key)
        return
    with path.open("rb") as body:
        s3.put_object(Bucket=bucket, Key=key, Body=body)
