"""`trilake sample`: write linked synthetic FHIR, VCF and DICOM files, and the truth about them beside.

Example: trilake sample --patients 100 --seed 7 --profile tiny --out data/
"""

from pathlib import Path
from typing import Any

import click

from trilake.core.verb import Run, verb
from trilake.sample.generate import Plan, generate
from trilake.sample.people import PROFILES


@click.command()
@click.option(
    "--patients",
    type=click.IntRange(1),
    help="How many patients. [default: tiny 100, imaging 60, others 1,278]",
)
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help="Equal seeds give equal bytes.")
@click.option(
    "--profile", type=click.Choice(list(PROFILES)), default="tiny", show_default=True, help="Shape of the sample."
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write. [default: sample, below --state]")
@click.option(
    "--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes; does not change a byte."
)
@verb
def sample(run: Run, patients: int | None, seed: int, profile: str, out: Path | None, workers: int) -> None:
    """Write synthetic patients as linked FHIR, VCF and DICOM files, and the truth about them in <out>.truth.

    The files look like three systems' exports; the truth folder says who is who, which outcome each patient has,
    and what every count should be. A stopped run goes on where it was. Synthetic, not clinical evidence.

    Example: trilake sample --patients 100 --seed 7 --out data/
    """
    plan = Plan(seed, patients or PROFILES[profile], profile, (out or run.state.sample).absolute())
    if out is None:
        run.state.make()
    result = generate(plan, workers=workers, say=run.say)
    run.emit(result, text=_text(plan, result))


def _text(plan: Plan, result: dict[str, Any]) -> str:
    people = result["counts"]["patients"]
    lines = [
        f"{plan.out}: {plan.n_patients} synthetic patients, {result['n_files']} files, {result['n_bytes'] / 1e6:.1f} MB"
    ]
    for folder, total in result["counts"]["files"].items():
        lines.append(f"  {folder:<14}{total['n_files']:>7} files {total['n_bytes'] / 1e6:>8.2f} MB")
    lines.append(f"With a VCF: {people['vcf']}; with an MR: {people['mr']}; with all three: {people['all_three']}")
    lines.append(f"Truth: {plan.truth}")
    return "\n".join(lines)
