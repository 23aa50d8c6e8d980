"""The two scanners of the sample. Each site mostly uses one, and they measure differently: a known confounder.

Reads and writes nothing. Make target: sample. Example: SCANNERS["north"].model
"""

from trilake.sample.record import Scanner

SHARE_OTHER_SCANNER = 0.15
"""Share of a site's patients who are scanned on the other site's scanner."""

SCANNERS = {
    "north": Scanner(
        "north-1.5T", "Synthetic Imaging", "Phantom 15", 1.5,
        n_slices=9, spacing=3.6, thickness=13.0, gain=1.00, noise=26.0, ventricle_bias=1.00, is_head_first=False,
    ),
    "south": Scanner(
        "south-3T", "Imaginary Magnets", "Phantom 30", 3.0,
        n_slices=10, spacing=3.5, thickness=12.0, gain=1.30, noise=20.0, ventricle_bias=1.08, is_head_first=True,
    ),
}  # fmt: skip


def describe() -> list[dict[str, object]]:
    """What each scanner does to an image, for the truth folder."""
    return [
        {
            "scanner": scanner.name, "manufacturer": scanner.manufacturer, "model": scanner.model,
            "mostly_at_site": site, "share_other": SHARE_OTHER_SCANNER, "intensity_gain": scanner.gain,
            "noise_sd": scanner.noise, "ventricle_volume_factor": scanner.ventricle_bias,
        }
        for site, scanner in SCANNERS.items()
    ]  # fmt: skip
