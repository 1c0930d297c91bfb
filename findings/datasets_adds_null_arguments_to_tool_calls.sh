#!/usr/bin/env bash
# datasets 5.2.0 adds arguments that nobody wrote to tool calls, and null keys to messages.
#
# A column of Arrow has one type, so Dataset.from_list gives each dictionary the keys of all. Saved with
# to_json, a message without tool calls has "tool_calls": null, and a call of one function has each
# argument of every other function, with null: find(order=7) becomes find(order=7, team=null). A model
# that is tuned on that file learns calls that its functions do not take; formats with checked fields,
# such as Amazon Bedrock's, refuse the null keys.
#
# Seen on 2026-11-29 with datasets 5.2.0 and pyarrow 26.0.1, two records each with one message:
#   {"role":"user","content":"Order 7?"}
#     is saved as {"role":"user","content":"Order 7?","tool_calls":null}
#   {"role":"assistant","tool_calls":[{"name":"find","arguments":{"order":7}},{"name":"call","arguments":{"team":"a"}}]}
#     is saved as {"role":"assistant","content":null,"tool_calls":[{"name":"find","arguments":{"order":7,"team":null}},{"name":"call","arguments":{"order":null,"team":"a"}}]}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'datasets==5.2.0' 'pyarrow==26.0.1'
cat > "$folder/look.py" <<'PYTHON'
import json
from pathlib import Path

from datasets import Dataset

CALLS = [
    {"name": "find", "arguments": {"order": 7}},
    {"name": "call", "arguments": {"team": "a"}},
]
MESSAGES = [
    {"role": "user", "content": "Order 7?"},
    {"role": "assistant", "tool_calls": CALLS},
]
Dataset.from_list([{"messages": [message]} for message in MESSAGES]).to_json("saved.jsonl")
for message, line in zip(MESSAGES, Path("saved.jsonl").read_text().splitlines(), strict=True):
    (saved,) = json.loads(line)["messages"]
    print(json.dumps(message, separators=(",", ":")))
    print("  is saved as", json.dumps(saved, separators=(",", ":")))
PYTHON
seen=$(cd "$folder" && HF_HOME="$folder/cache" HF_HUB_OFFLINE=1 "$folder/venv/bin/python" look.py 2> errors.txt)
wanted='{"role":"user","content":"Order 7?"}
  is saved as {"role":"user","content":"Order 7?","tool_calls":null}
{"role":"assistant","tool_calls":[{"name":"find","arguments":{"order":7}},{"name":"call","arguments":{"team":"a"}}]}
  is saved as {"role":"assistant","content":null,"tool_calls":[{"name":"find","arguments":{"order":7,"team":null}},{"name":"call","arguments":{"order":null,"team":"a"}}]}'
echo "$seen"
if [ "$seen" != "$wanted" ]; then
    cat "$folder/errors.txt" >&2
    echo "The behaviour has changed." >&2
    exit 1
fi
