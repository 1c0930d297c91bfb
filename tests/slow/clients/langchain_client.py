"""Ask two base models with langchain-aws, by Converse and by InvokeModel, whole and streamed."""

from langchain_aws import ChatBedrock, ChatBedrockConverse
from langchain_core.messages import HumanMessage, SystemMessage

ASKED = [SystemMessage("Answer in one word."), HumanMessage("Where is my parcel?")]
NOVA = ChatBedrockConverse(model="amazon.nova-micro-v1:0", region_name="us-east-1", max_tokens=20)
CLAUDE = ChatBedrock(
    model="anthropic.claude-3-haiku-20240307-v1:0", region_name="us-west-2", max_tokens=20
)
for chat in (NOVA, CLAUDE):
    print(chat.invoke(ASKED).text)
    print("".join(part.text for part in chat.stream(ASKED)))
