#!/usr/bin/env bash
# jsonschema 4.26.0 refuses prices such as 19.99 where a schema wants multiples of 0.01.
#
# Where `multipleOf` is a float, the quotient of two floats is compared with its whole part:
# 19.99 / 0.01 is 1998.9999999999998. JSON has decimal numbers, and 19.99 is 1,999 times 0.01, so right
# replies count as invalid. Read with parse_float=decimal.Decimal, for schema and instance alike, the
# answers are right.
#
# Seen on 2026-11-29 with jsonschema 4.26.0:
#   of the prices 0.00 to 99.99, multiples of 0.01: 8637 by float, 10000 by decimal
#   19.99 by float: False
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'jsonschema==4.26.0'
cat > "$folder/look.py" <<'PYTHON'
import json
from decimal import Decimal

from jsonschema import Draft202012Validator

SCHEMA = '{"type": "number", "multipleOf": 0.01}'
PRICES = [f"{cents // 100}.{cents % 100:02}" for cents in range(10_000)]


def count_valid(number):
    """Count the prices that are valid where JSON's numbers are read so."""
    validator = Draft202012Validator(json.loads(SCHEMA, parse_float=number))
    return sum(validator.is_valid(json.loads(price, parse_float=number)) for price in PRICES)


of_float, of_decimal = count_valid(float), count_valid(Decimal)
print(f"of the prices 0.00 to 99.99, multiples of 0.01: {of_float} by float, {of_decimal} by decimal")
print("19.99 by float:", Draft202012Validator(json.loads(SCHEMA)).is_valid(19.99))
PYTHON
seen=$("$folder/venv/bin/python" "$folder/look.py")
wanted='of the prices 0.00 to 99.99, multiples of 0.01: 8637 by float, 10000 by decimal
19.99 by float: False'
echo "$seen"
if [ "$seen" != "$wanted" ]; then
    echo "The behaviour has changed." >&2
    exit 1
fi
