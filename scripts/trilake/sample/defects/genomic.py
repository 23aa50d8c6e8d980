"""Genomic defects: a VCF without its header line, and records that break a rule each.

Reads nothing; writes <sample>/vcf/defects. Make target: sample. Example: write(Path("data"), Injected())
"""

from pathlib import Path

from trilake.sample.defects.defect import Defect, Injected

HEAD = (
    "##fileformat=VCFv4.3\n##reference=GRCh38\n##contig=<ID=1,length=248956422>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
)
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tSTRANGER_DEFECTS\n"
RECORDS = {
    "bad_position": ("1\tten\t.\tA\tG\t50\tPASS\t.\tGT\t0/1", "VCF_POSITION"),
    "bad_reference": ("1\t1000\t.\tA*\tG\t50\tPASS\t.\tGT\t0/1", "VCF_REF"),
    "columns_missing": ("1\t1100\t.\tA\tG", "VCF_COLUMNS"),
    "genotype_of_no_allele": ("1\t1200\t.\tA\tG\t50\tPASS\t.\tGT\t0/7", "VCF_GENOTYPE"),
}


def write(sample: Path, injected: Injected) -> None:
    """Write the files; every record in them is wrong, so that nothing of them is loaded."""
    folder = sample / "vcf/defects"
    folder.mkdir(parents=True, exist_ok=True)
    first = HEAD.count("\n") + 2
    records, headless = folder / "records.vcf", folder / "headless.vcf"
    records.write_text(HEAD + COLUMNS + "".join(f"{line}\n" for line, _ in RECORDS.values()))
    headless.write_text(HEAD + "1\t1000\t.\tA\tG\t50\tPASS\t.\tGT\t0/1\n")
    injected.files += [records, headless]
    injected.defects += [
        Defect("vcf/defects/records.vcf", first + place, kind, "quarantined", code)
        for place, (kind, (_, code)) in enumerate(RECORDS.items())
    ]
    injected.defects.append(Defect("vcf/defects/headless.vcf", None, "no_header_line", "refused_file", "VCF_HEADER"))
