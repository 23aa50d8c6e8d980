"""The small sets of constants that templates draw from, by the name of the hole.

Reads and writes nothing. Behind `make verify`.
Example: CONSTANTS["sep"][0]  ->  "','"
"""

from collections.abc import Mapping, Sequence

CONSTANTS: Mapping[str, Sequence[str]] = {
    "n": [str(number) for number in (0, 1, 1, 2, 2, 3, 5, 7, 12)],
    "p": ["1", "1", "2", "3", "4"],
    "p2": ["1", "2"],
    "compare": ["=", "<>", "<", "<=", ">", ">="],
    "field": ["YEAR", "MONTH", "DAY", "HOUR", "DOW", "DOY", "WEEK", "QUARTER"],
    "i": ["-2", "-1", "1", "2", "3", "10"],
    "text": ["''", "'a'", "'b'", "'Ab c'", "'%'", "'it''s'", "'-'", "'12'", "'äöü'", "'  x '", "'a-b-c'", "'a,b,,c'"],
    "sep": ["','", "'-'", "' '", "'b'"],
    "pattern": [r"'[a-z]+'", r"'\d'", r"'(a)(-?)'", r"'^a'", r"'c$'", r"'\s+'", "'b|c'", "'.'", "'[^a]*b'", "'x*'"],
    "like": ["'a%'", "'%b%'", "'_b%'", "'%'", "''", "'A_%'"],
    "day": ["'day'", "'week'", "'month'", "'quarter'", "'year'"],
    "unit": ["'second'", "'minute'", "'hour'", "'day'", "'week'", "'month'", "'quarter'", "'year'", "'millisecond'"],
    "step": [
        "INTERVAL '1' DAY",
        "INTERVAL '3' HOUR",
        "INTERVAL '90' MINUTE",
        "INTERVAL '-2' DAY",
        "INTERVAL '10' SECOND",
    ],
    "months": ["INTERVAL '1' MONTH", "INTERVAL '2' YEAR", "INTERVAL '-1' MONTH"],
    "zone": ["'Europe/Berlin'", "'America/New_York'", "'UTC'", "'Asia/Tokyo'"],
    "days": ["INTERVAL '1' DAY", "INTERVAL '-3' DAY", "INTERVAL '7' DAY"],
    "path": ["'$.a'", "'$.b[0]'", "'$.b[1].c'", "'$'", "'$.z'", "'$[0]'", "'$.a.d'", "'$[\"a\"]'"],
    "document": [
        """'{"a":1,"b":[1,{"c":"x"}]}'""",
        """'{"a":{"d":"é"},"b":[true,null]}'""",
        "'[1,\"2\",3.5]'",
        "'not json'",
        "'null'",
        "'\"text\"'",
        "'12'",
        "'{}'",
    ],
    "format": [
        "'%Y-%m-%d'",
        "'%H:%i:%s'",
        "'%d/%m/%y'",
        "'%Y%m%d'",
        "'%W %j'",
        "'%M %b %a'",
        "'%e.%c.%Y %T'",
        "'%p %h'",
    ],
}
