"""Speed of the genomic room: VCF to Parquet in the full shape of the store, for one sample and for many.

Example: python -m bench --only vcf
"""

import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pysam
import pysam.bcftools

from bench.alone import PEERS, is_there, measured
from bench.figure import Data, Figure, beside, doubled, halves, timed
from trilake.core.lakehouse.data_files import worth_a_dictionary, worth_statistics
from trilake.genomic.reader import open_vcf

N_RECORDS, N_SAMPLES, N_CELLS = 1_000_000, 2_504, 1_000_000
HEADER = """##fileformat=VCFv4.2
##reference=GRCh38
{contigs}##INFO=<ID=AC,Number=A,Type=Integer,Description="x">
##INFO=<ID=AF,Number=A,Type=Float,Description="x">
##INFO=<ID=AN,Number=1,Type=Integer,Description="x">
##INFO=<ID=DP,Number=1,Type=Integer,Description="x">
##INFO=<ID=MQ,Number=1,Type=Float,Description="x">
##FORMAT=<ID=GT,Number=1,Type=String,Description="x">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="x">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="x">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{samples}
"""
SITE = "{chrom}\t{pos}\trs{name}\t{ref}\t{alt}\t{qual:.2f}\tPASS\tAC=1;AF=0.500;AN=2;DP={dp};MQ={mq:.2f}"
INFO_ASKED = "\t".join(f"%INFO/{key}" for key in ("AC", "AF", "AN", "DP", "MQ"))
QUERY = f"%CHROM\t%POS\t%ID\t%REF\t%ALT\t%QUAL\t%FILTER\t{INFO_ASKED}[\t%GT\t%AD\t%DP\t%GQ\t%PL]\n"


def vcf(data: Data) -> Iterator[Figure]:
    """Records of one sample, and of 2,504, checked, split and written as Parquet; each in a process of its own."""
    sizes = halves(data.size(N_RECORDS))
    paths, out = [single_sample_file(data, n) for n in sizes], data.folder / "out.parquet"
    took = [measured("ours", path, out) for path in paths]
    peer = timed(lambda: query(paths[1], data.folder / "printed.txt"))
    name = "VCF to Parquet, all columns"
    figures = [Figure(name, n, "records", one.seconds, "") for n, one in zip(sizes, took, strict=True)]
    yield replace(figures[1], peer=f"{beside('bcftools query prints it', peer)}; ours: {took[1]}")
    yield replace(
        again := doubled(figures), peer=f"{again.peer}; {took[0].megabytes:,.0f} MB, then {took[1].megabytes:,.0f}"
    )
    for program in PEERS:
        if is_there(program):
            theirs = measured(program, paths[1], out)
            words = f"{theirs.processor:.3g} s of processor; ours, all columns: {took[1]}"
            yield Figure(f"{program}: five INFO fields, genotypes", sizes[1], "records", theirs.seconds, words)
        else:
            sys.stderr.write(f"{program} is not there; python -m bench.alone installs it\n")
    yield many_samples(data, max(1, data.size(N_CELLS) // N_SAMPLES))


def many_samples(data: Data, n: int) -> Figure:
    path, cells = many_samples_file(data, n), n * N_SAMPLES
    peer = timed(lambda: query(path, data.folder / "printed.txt"))
    ours = measured("ours", path, data.folder / "out.parquet")
    words = f"{beside('bcftools query prints it', peer)}; ours: {ours}"
    return Figure("VCF of 2,504 samples to Parquet", cells, "cells", ours.seconds, words)


def to_parquet(path: Path, out: Path) -> None:
    reading = open_vcf(path, path.name, load_id="l", job_id="j", default_genome="GRCh38")
    writer = None
    for batch in reading.batches():
        writer = writer or pq.ParquetWriter(
            out,
            reading.schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=worth_a_dictionary(batch),
            write_statistics=worth_statistics(reading.schema),
        )
        writer.write_batch(batch)
    if writer:
        writer.close()


def query(path: Path, out: Path) -> None:
    pysam.bcftools.query("-f", QUERY, "-o", str(out), str(path), catch_stdout=False)


def sites(n: int, seed: int) -> Iterator[str]:
    """Sites of 22 chromosomes, one in ten an insertion or deletion."""
    draw, position = random.Random(seed), 10_000
    for number in range(n):
        ref = draw.choice("ACGT")
        alt = draw.choice([base for base in "ACGT" if base != ref])
        ref += "".join(draw.choices("ACGT", k=draw.randint(1, 5))) if draw.random() < 0.1 else ""
        chrom, position = 1 + number * 22 // n, position + draw.randint(1, 300) if number * 22 % n >= 22 else 10_000
        words = {
            "chrom": f"chr{chrom}",
            "pos": position,
            "name": draw.randint(1_000, 99_999_999),
            "ref": ref,
            "alt": alt,
        }
        yield SITE.format(**words, qual=draw.random() * 1_000, dp=draw.randint(5, 60), mq=draw.uniform(30, 60))


def header(samples: str) -> str:
    contigs = "".join(f"##contig=<ID=chr{number}>\n" for number in range(1, 23))
    return HEADER.format(contigs=contigs, samples=samples)


def single_sample_file(data: Data, n: int) -> Path:
    path, draw = data.folder / f"{n}.vcf", random.Random(1)
    with path.open("w") as file:
        file.write(header("S1"))
        for site in sites(n, seed=n):
            depth, quality = draw.randint(5, 60), draw.randint(1, 99)
            values = f"0/1:{depth - 4},4:{depth}:{quality}:{quality * 10},0,{quality * 9}"
            file.write(f"{site}\tGT:AD:DP:GQ:PL\t{values}\n")
    return path


def many_samples_file(data: Data, n: int) -> Path:
    path, draw = data.folder / f"{n}-many.vcf", random.Random(2)
    cells = [f"{a}/{b}:{x},{y}:{x + y}:{x}:{x},0,{y}" for a in "01" for b in "01" for x in (9, 31) for y in (0, 15)]
    with path.open("w") as file:
        file.write(header("\t".join(f"S{number}" for number in range(N_SAMPLES))))
        for site in sites(n, seed=n):
            file.write("\t".join([site, "GT:AD:DP:GQ:PL", *draw.choices(cells, k=N_SAMPLES)]) + "\n")
    return path


BENCHMARKS = {"vcf": vcf}
