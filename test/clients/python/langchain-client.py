"""LangChain with its package for OpenAI, as an application uses it. Says of each answer whose usage it knows: [request id, input, output]."""

import json
import os

import openai
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

access = {"base_url": os.environ["TURNPIKE_URL"] + "/v1", "api_key": os.environ["TURNPIKE_KEY"], "max_retries": 0}
city = {
    "title": "weather",
    "description": "where it rains",
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


# By chat completions, and by responses.
for by_responses in [False, True]:

    def model(name):
        return ChatOpenAI(model=name, use_responses_api=by_responses, include_response_headers=not by_responses, **access)

    whole = model("sim/echo").invoke("hello there")
    assert whole.text == "hello there", whole
    headers = whole.response_metadata.get("headers")
    if headers is not None:
        print(json.dumps([headers["x-request-id"], whole.usage_metadata["input_tokens"], whole.usage_metadata["output_tokens"]]))
    assert whole.usage_metadata["output_tokens"] > 0

    pieces = [chunk.text for chunk in model("sim/echo").stream("hello there")]
    assert "".join(pieces) == "hello there", pieces

    question = HumanMessage("weather?")
    asked = model("sim/tools-parallel").bind_tools([weather]).invoke([question])
    assert [call["name"] for call in asked.tool_calls] == ["weather", "weather"]
    results = [weather.invoke(call) for call in asked.tool_calls]
    assert all(isinstance(result, ToolMessage) for result in results)
    assert model("sim/echo").bind_tools([weather]).invoke([question, asked, *results]).text != ""

    structured = model("sim/echo").with_structured_output(city).invoke("hello there")
    assert list(structured) == ["city"], structured

    try:
        model("sim/none").invoke("hello there")
        raise AssertionError("a model that is none was answered")
    except openai.NotFoundError:
        pass

# It would count tokens by a table that it downloads.
vectors = OpenAIEmbeddings(model="sim/echo", check_embedding_ctx_length=False, **access).embed_documents(["one", "two"])
assert [len(vector) for vector in vectors] == [1536, 1536]
