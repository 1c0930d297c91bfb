"""Ask two base models with litellm, by Converse and by InvokeModel, whole and streamed."""

import litellm

ASKED = [{"role": "user", "content": "Where is my parcel?"}]
MODELS = {
    "amazon.nova-micro-v1:0": "us-east-1",
    "anthropic.claude-3-haiku-20240307-v1:0": "us-west-2",
}
litellm.suppress_debug_info = True
for route in ("converse", "invoke"):
    for model, region in MODELS.items():
        options = {"aws_region_name": region, "max_tokens": 20}
        whole = litellm.completion(f"bedrock/{route}/{model}", ASKED, **options)
        print(whole.choices[0].message.content)
        parts = litellm.completion(f"bedrock/{route}/{model}", ASKED, stream=True, **options)
        print("".join(part.choices[0].delta.content or "" for part in parts))
