"""AWS's own client of Bedrock, as an application uses it. Says of each answer what was told of its usage: [request id, input, output]."""

import json
import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

# Its key is in AWS_BEARER_TOKEN_BEDROCK.
client = boto3.client(
    "bedrock-runtime",
    region_name="us-east-1",
    endpoint_url=os.environ["TURNPIKE_URL"] + "/bedrock",
    config=Config(retries={"total_max_attempts": 1}),
)
messages = [{"role": "user", "content": [{"text": "hello"}]}]
body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100, "messages": []})


def tell(answer, tokens_in, tokens_out):
    print(json.dumps([answer["ResponseMetadata"]["RequestId"], tokens_in, tokens_out]))


whole = client.converse(modelId="nova", messages=messages)
assert whole["output"]["message"]["content"][0]["text"]
tell(whole, whole["usage"]["inputTokens"], whole["usage"]["outputTokens"])

streamed = client.converse_stream(modelId="nova", messages=messages)
usage = [event["metadata"]["usage"] for event in streamed["stream"] if "metadata" in event][0]
tell(streamed, usage["inputTokens"], usage["outputTokens"])

invoked = client.invoke_model(modelId="nova", body=body)
usage = json.loads(invoked["body"].read())["usage"]
tell(invoked, usage["input_tokens"], usage["output_tokens"])

streamed = client.invoke_model_with_response_stream(modelId="nova", body=body)
chunks = [json.loads(event["chunk"]["bytes"]) for event in streamed["body"]]
assert chunks[-1]["type"] == "message_stop"
tell(streamed, chunks[0]["message"]["usage"]["input_tokens"], chunks[-2]["usage"]["output_tokens"])

try:
    client.converse(modelId="refusing", messages=messages)
    raise AssertionError("a refusal was an answer")
except ClientError as error:
    assert error.response["Error"]["Code"] == "ValidationException", error

try:
    list(client.converse_stream(modelId="throttling", messages=messages)["stream"])
    raise AssertionError("a stream that fails was whole")
except EventStreamError as error:
    assert error.response["Error"]["Code"] == "throttlingException", error
