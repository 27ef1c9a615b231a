"""The official client of OpenAI, as an application uses it. Says of each answer whose usage it knows: [request id, input, output]."""

import json
import os

import openai
from pydantic import BaseModel

client = openai.OpenAI(base_url=os.environ["TURNPIKE_URL"] + "/v1", api_key=os.environ["TURNPIKE_KEY"], max_retries=0)
messages = [{"role": "user", "content": "hello there"}]
city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}


class Weather(BaseModel):
    city: str


def told(request_id, incoming, outgoing):
    print(json.dumps([request_id, incoming, outgoing]))


assert "sim/echo" in [model.id for model in client.models.list()]

# Chat completions.
whole = client.chat.completions.create(model="sim/echo", messages=messages)
assert whole.choices[0].message.content == "hello there"
told(whole._request_id, whole.usage.prompt_tokens, whole.usage.completion_tokens)
text = ""
for chunk in client.chat.completions.create(model="sim/echo", messages=messages, stream=True):
    text += chunk.choices[0].delta.content or ""
assert text == "hello there"
tools = [{"type": "function", "function": {"name": "weather", "parameters": city}}]
called = client.chat.completions.create(model="sim/tools-parallel", messages=messages, tools=tools)
calls = called.choices[0].message.tool_calls
assert [call.function.name for call in calls] == ["weather", "weather"]
for call in calls:
    assert "city" in json.loads(call.function.arguments)
parsed = client.chat.completions.parse(model="sim/echo", messages=messages, response_format=Weather)
assert isinstance(parsed.choices[0].message.parsed, Weather)

# Responses.
whole = client.responses.create(model="sim/echo", input="hello there")
assert whole.output_text == "hello there"
told(whole._request_id, whole.usage.input_tokens, whole.usage.output_tokens)
with client.responses.stream(model="sim/echo", input="hello there") as stream:
    assert stream.get_final_response().output_text == "hello there"
assert isinstance(client.responses.parse(model="sim/echo", input="hello there", text_format=Weather).output_parsed, Weather)

# Embeddings, which the client asks for as base64.
embeddings = client.embeddings.create(model="sim/echo", input=["one", "two"])
assert [len(entry.embedding) for entry in embeddings.data] == [1536, 1536]
told(embeddings._request_id, embeddings.usage.prompt_tokens, 0)

# Errors.
try:
    client.responses.create(model="sim/none", input="hello there")
    raise AssertionError("a model that is none was answered")
except openai.NotFoundError as error:
    assert error.code == "model_not_found", error.code
try:
    client.with_options(api_key="tpk_ak_test_none").models.list()
    raise AssertionError("a key that is none was taken")
except openai.AuthenticationError as error:
    assert error.code == "invalid_api_key", error.code
