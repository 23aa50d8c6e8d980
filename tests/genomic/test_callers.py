"""Headers of real callers: which program, which version."""

import pytest

from trilake.genomic.callers import Caller, caller_of

GATK = '##GATKCommandLine=<ID={0},CommandLine="{0} --output a.vcf",Version="{1}",Date="May 1, 2021">'


@pytest.mark.parametrize(
    ("lines", "caller"),
    [
        (
            [GATK.format("GenomicsDBImport", "4.0"), GATK.format("HaplotypeCaller", "4.2.0.0")],
            ("HaplotypeCaller", "4.2.0.0"),
        ),
        (
            ['##GATKCommandLine.UnifiedGenotyper=<ID=UnifiedGenotyper,Version=3.8-0,Date="x">'],
            ("UnifiedGenotyper", "3.8-0"),
        ),
        (["##source=DeepVariant", "##DeepVariant_version=1.5.0"], ("DeepVariant", "1.5.0")),
        (
            ['##DRAGENVersion=<ID=dragen,Version="SW: 07.021.572.3.6.3, HW: 07.021.572">'],
            ("DRAGEN", "07.021.572.3.6.3"),
        ),
        (["##bcftoolsVersion=1.9", "##bcftools_callVersion=1.10.2+htslib-1.10.2"], ("bcftools call", "1.10.2")),
        (["##source=freeBayes v1.3.6"], ("freeBayes", "1.3.6")),
        (["##source=strelka", "##source_version=2.9.10"], ("strelka", "2.9.10")),
        (["##source=TrilakeSample"], ("TrilakeSample", "")),
        (["##source=Clair3", "##clair3_version=1.0.4"], ("Clair3", "1.0.4")),
        (["##source=HaplotypeCaller"], ("HaplotypeCaller", "")),
        ([GATK.format("VariantFiltration", "4.1")], ("VariantFiltration", "4.1")),
        (["##reference=GRCh38"], ("", "")),
        ([], ("", "")),
    ],
)
def test_the_caller_of_a_header(lines, caller):
    assert caller_of(lines) == Caller(*caller)
