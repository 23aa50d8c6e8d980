"""Transfer syntaxes by what an import does with them.

Source: HealthImaging developer guide, "Supported transfer syntaxes" (2026). Any other is imported too, with warning
0xB120, its pixels kept as one blob that GetImageFrame does not give out.

Example: "1.2.840.10008.1.2.5" in SUPPORTED
"""

ROOT = "1.2.840.10008.1.2"
IMPLICIT_LITTLE = ROOT
EXPLICIT_LITTLE = f"{ROOT}.1"
DEFLATED = f"{ROOT}.1.99"
EXPLICIT_BIG = f"{ROOT}.2"
RLE = f"{ROOT}.5"
JPEG = ("50", "51", "57", "70", "80", "81", "90", "91", "92", "93", "201", "202", "203")
VIDEOS = tuple(str(number) for number in range(100, 109))
FRAGMENTABLE = tuple(f"{number}.1" for number in range(100, 107))
ENCAPSULATED = frozenset({RLE, *(f"{ROOT}.4.{number}" for number in (*JPEG, *VIDEOS, *FRAGMENTABLE))})
SUPPORTED = ENCAPSULATED | {IMPLICIT_LITTLE, EXPLICIT_LITTLE, DEFLATED, EXPLICIT_BIG}
