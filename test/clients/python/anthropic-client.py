"""The official client of Anthropic, as an application uses it. Says of each answer whose usage it knows: [request id, input, output]."""

import json
import os

import anthropic

client = anthropic.Anthropic(base_url=os.environ["TURNPIKE_URL"], api_key=os.environ["TURNPIKE_KEY"], max_retries=0)
messages = [{"role": "user", "content": "hello there"}]
city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}

# Of a provider that speaks another dialect, and of one that speaks this one.
for provider in ["sim", "claude"]:
    asked = {"model": f"{provider}/echo", "max_tokens": 100, "messages": messages}
    whole = client.messages.create(**asked)
    assert [block.text for block in whole.content] == ["hello there"]
    assert whole.stop_reason == "end_turn"
    print(json.dumps([whole._request_id, whole.usage.input_tokens, whole.usage.output_tokens]))

    with client.messages.stream(**asked) as stream:
        assert "".join(stream.text_stream) == "hello there"
        usage = stream.get_final_message().usage
    assert (usage.input_tokens, usage.output_tokens) == (whole.usage.input_tokens, whole.usage.output_tokens), usage

    tools = [{"name": "weather", "input_schema": city}]
    with client.messages.stream(**{**asked, "model": f"{provider}/tools-parallel", "tools": tools}) as stream:
        called = stream.get_final_message()
    assert called.stop_reason == "tool_use"
    calls = [block for block in called.content if block.type == "tool_use"]
    assert [call.name for call in calls] == ["weather", "weather"]
    for call in calls:
        assert "city" in call.input

    try:
        client.messages.create(**{**asked, "model": f"{provider}/none"})
        raise AssertionError("a model that is none was answered")
    except anthropic.NotFoundError:
        pass
