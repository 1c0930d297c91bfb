#!/usr/bin/env bash
# rouge_score 0.1.2 gives 0 to two equal texts of a script other than Latin, and calls wrong texts right.
#
# Its tokenizer keeps a to z and 0 to 9 and drops every other character. Of a Greek, Hindi, Japanese or
# Arabic text nothing is left, so a perfect reply scores 0 in ROUGE-1, ROUGE-2 and ROUGE-L. Where a text
# holds a number or a Latin name, only these are compared: two sentences that say the opposite of each
# other score 1. Letters with marks split words: "für" is "f" and "r". A tokenizer of one's own can be
# given as RougeScorer(…, tokenizer=…).
#
# Seen on 2026-11-29 with rouge_score 0.1.2, ROUGE-L of a text with itself, then of two opposites:
#   English 1.0
#   Greek 0
#   Hindi 0
#   Japanese 0
#   Arabic 0
#   accepted and refused, in Greek, both of order 17: 1.0
#   words of "für": f r
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'rouge_score==0.1.2'
cat > "$folder/look.py" <<'PYTHON'
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import DefaultTokenizer

TEXTS = {
    "English": "The order has arrived.",
    "Greek": "Η παραγγελία έφτασε.",
    "Hindi": "ऑर्डर पहुँच गया है।",
    "Japanese": "注文が届きました。",
    "Arabic": "وصل الطلب.",
}
scorer = RougeScorer(["rougeL"])
for language, text in TEXTS.items():
    print(language, scorer.score(text, text)["rougeL"].fmeasure)
accepted, refused = "Η επιστροφή 17 έγινε δεκτή.", "Η επιστροφή 17 απορρίφθηκε."
score = scorer.score(accepted, refused)["rougeL"].fmeasure
print("accepted and refused, in Greek, both of order 17:", score)
print('words of "für":', *DefaultTokenizer(use_stemmer=False).tokenize("für"))
PYTHON
seen=$("$folder/venv/bin/python" "$folder/look.py")
wanted='English 1.0
Greek 0
Hindi 0
Japanese 0
Arabic 0
accepted and refused, in Greek, both of order 17: 1.0
words of "für": f r'
echo "$seen"
if [ "$seen" != "$wanted" ]; then
    echo "The behaviour has changed." >&2
    exit 1
fi
