"""Let a strands agent ask two base models, streamed and whole."""

from strands import Agent
from strands.models import BedrockModel

MODELS = {
    "amazon.nova-micro-v1:0": "us-east-1",
    "anthropic.claude-3-haiku-20240307-v1:0": "us-west-2",
}
for model_id, region in MODELS.items():
    for streaming in (True, False):
        model = BedrockModel(
            model_id=model_id, region_name=region, streaming=streaming, max_tokens=20
        )
        print(str(Agent(model=model, callback_handler=None)("Where is my parcel?")).strip())
