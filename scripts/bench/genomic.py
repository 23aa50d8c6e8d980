"""Speed of the genomic room: VCF to Arrow.

Example: python -m bench --only vcf
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pysam

from bench.figure import Data, Figure, beside, doubled, halves, timed
from trilake.genomic.reader import open_vcf

N_RECORDS = 200_000
HEADER = """##fileformat=VCFv4.3
##reference=GRCh38
##contig=<ID=1>
##INFO=<ID=AC,Number=A,Type=Integer,Description="x">
##INFO=<ID=DP,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=GT,Number=1,Type=String,Description="x">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="x">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="x">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1
"""
RECORD = "1\t{0}\trs{0}\tA\tG\t50\tPASS\tAC=1;DP=31\tGT:AD:DP:GQ:PL\t0/1:15,16:31:{1}:{1},0,99\n"


def vcf(data: Data) -> Iterator[Figure]:
    """Single-sample records checked and split into Arrow."""
    found = [vcf_figure(vcf_file(data, n), n) for n in halves(data.size(N_RECORDS))]
    yield found[1]
    yield doubled(found)


def vcf_figure(path: Path, n: int) -> Figure:
    reading = open_vcf(path, path.name, load_id="l", job_id="j", default_genome="GRCh38")
    ours = timed(lambda: sum(batch.num_rows for batch in reading.batches()))
    peer = timed(lambda: [htslib_values(record) for record in pysam.VariantFile(str(path))])
    return Figure("VCF to Arrow", n, "records", ours, beside("pysam, values taken out, no checks", peer))


def htslib_values(record: pysam.VariantRecord) -> tuple[Any, ...]:
    sample = record.samples[0]
    info = dict(record.info)
    return record.chrom, record.pos, record.ref, record.alts, info, *(sample[key] for key in ("GT", "AD", "DP", "PL"))


def vcf_file(data: Data, n: int) -> Path:
    """`n` records of one sample."""
    path = data.folder / f"{n}.vcf"
    path.write_text(HEADER + "".join(RECORD.format(10 * i + 1, i % 90 + 10) for i in range(n)))
    return path


BENCHMARKS = {"vcf": vcf}
