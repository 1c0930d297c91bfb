// Ask a base model with the AWS SDK for JavaScript v3: as it comes, then with HTTP/1.1.
import { BedrockRuntimeClient, ConverseCommand } from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";

const asked = new ConverseCommand({
  modelId: "amazon.nova-micro-v1:0",
  messages: [{ role: "user", content: [{ text: "Where is my parcel?" }] }],
});
const place = { region: "us-east-1", endpoint: process.env.AWS_ENDPOINT_URL };
const error = await new BedrockRuntimeClient(place).send(asked).catch((error) => error);
console.log(error.code ?? "answered by HTTP/2");
const client = new BedrockRuntimeClient({ ...place, requestHandler: new NodeHttpHandler() });
console.log((await client.send(asked)).output.message.content[0].text);
