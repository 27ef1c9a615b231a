import type { ProviderProtocol } from '../../schema/values/provider-protocol.ts';
import { writeKeptReasoning } from '../../services/proxy/dialects/responses/kept-reasoning.ts';

/** Who is written for: a provider, and the kind of its models that is looked at. */
export const COLUMNS = {
  openai: { protocol: 'openai', model: 'gpt-5.1', title: 'OpenAI' },
  anthropic: { protocol: 'anthropic', model: 'claude-sonnet-4-5', title: 'Claude' },
  gemini: { protocol: 'gemini', model: 'gemini-3-pro-preview', title: 'Gemini' },
  bedrock: { protocol: 'bedrock', model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', title: 'Bedrock (Claude)' },
  nova: { protocol: 'bedrock', model: 'us.amazon.nova-2-lite-v1:0', title: 'Bedrock (Nova)' },
  cohere: { protocol: 'cohere', model: 'command-a-03-2025', title: 'Cohere' },
  mistral: { protocol: 'mistral', model: 'mistral-large-latest', title: 'Mistral' },
} as const satisfies Readonly<Record<string, { protocol: ProviderProtocol; model: string; title: string }>>;
export type Column = keyof typeof COLUMNS;

/** What becomes of it: it stands so in the provider's request; it is told as not carried; both, where it is nearly so; or the request is refused. */
export type Becomes = string | Told | Partly | typeof REFUSED | typeof UNSAID;
interface Told {
  readonly told: string;
}
interface Partly extends Told {
  readonly as: string;
}
export const REFUSED = Symbol('refused');
/** It is so without a word of it. */
export const UNSAID = Symbol('unsaid');
const told = (field: string): Told => ({ told: field });
const partly = (as: string, field: string): Partly => ({ as, told: field });

/** One thing that an application may say, in each dialect that can: members of a request that says `hello` otherwise. */
export interface Feature {
  readonly name: string;
  readonly chat?: object;
  readonly messages?: object;
  readonly responses?: object;
  readonly becomes: Readonly<Record<Column, Becomes>>;
}

const PNG = 'iVBORw0KGgo=';
const PDF = 'JVBERi0xLjQ=';
const WAV = 'UklGRg==';
const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const SCHEMA_JSON = JSON.stringify(SCHEMA);

const look_up = { name: 'look_up', description: 'finds it', parameters: SCHEMA };
const OPENAI_TOOL = `{"type":"function","function":{"name":"look_up","description":"finds it","parameters":${SCHEMA_JSON}}}`;
const CONVERSE_TOOL = `{"toolSpec":{"name":"look_up","description":"finds it","inputSchema":{"json":${SCHEMA_JSON}}}}`;
const CHAT_TOOLS = { tools: [{ type: 'function', function: look_up }] };
const MESSAGES_TOOLS = { tools: [{ name: 'look_up', description: 'finds it', input_schema: SCHEMA }] };
const RESPONSES_TOOLS = { tools: [{ type: 'function', ...look_up }] };

const hello = { role: 'user', content: 'hello' };
const chatSaid = (...parts: object[]): object => ({ messages: [{ role: 'user', content: [{ type: 'text', text: 'see' }, ...parts] }] });
const messagesSaid = chatSaid;
const responsesSaid = (...parts: object[]): object => ({
  input: [{ role: 'user', content: [{ type: 'input_text', text: 'see' }, ...parts] }],
});
const chatAfter = (...turns: object[]): object => ({ ...CHAT_TOOLS, messages: [hello, ...turns] });
const messagesAfter = (...turns: object[]): object => ({ ...MESSAGES_TOOLS, messages: [hello, ...turns] });
const responsesAfter = (...items: object[]): object => ({ ...RESPONSES_TOOLS, input: [hello, ...items] });
const call = (id: string, city: string): object => ({
  id,
  type: 'function',
  function: { name: 'look_up', arguments: JSON.stringify({ city }) },
});
const same = <Of>(value: Of): Readonly<Record<Column, Of>> => ({
  openai: value,
  anthropic: value,
  gemini: value,
  bedrock: value,
  nova: value,
  cohere: value,
  mistral: value,
});

/**
 * What an application may say, and what becomes of it at each kind of model when its provider speaks another dialect. It is the table of
 * `docs/translation.md`. Of a member that is not here at all every dialect tells; `test/services/proxy/dialects/untold-members.test.ts` holds it to that.
 */
export const FEATURES: readonly Feature[] = [
  {
    name: 'instructions',
    chat: { messages: [{ role: 'system', content: 'be brief' }, hello] },
    messages: { system: 'be brief' },
    responses: { instructions: 'be brief' },
    becomes: {
      openai: '{"role":"system","content":"be brief"}',
      anthropic: '"system":[{"type":"text","text":"be brief"}]',
      gemini: '"systemInstruction":{"parts":[{"text":"be brief"}]}',
      bedrock: '"system":[{"text":"be brief"}]',
      nova: '"system":[{"text":"be brief"}]',
      cohere: '{"role":"system","content":"be brief"}',
      mistral: '{"role":"system","content":"be brief"}',
    },
  },
  {
    name: 'instructions in the middle',
    chat: { messages: [hello, { role: 'assistant', content: 'hi' }, { role: 'developer', content: 'be brief' }, hello] },
    messages: { messages: [hello, { role: 'assistant', content: 'hi' }, { role: 'system', content: 'be brief' }, hello] },
    responses: { input: [hello, { role: 'assistant', content: 'hi' }, { role: 'developer', content: 'be brief' }, hello] },
    becomes: {
      openai: '{"role":"assistant","content":"hi"},{"role":"system","content":"be brief"}',
      anthropic: partly('{"role":"user","content":[{"type":"text","text":"be brief"}', 'messages[].role'),
      gemini: partly('{"role":"user","parts":[{"text":"be brief"}', 'messages[].role'),
      bedrock: partly('"system":[{"text":"be brief"}]', 'messages[].role'),
      nova: partly('"system":[{"text":"be brief"}]', 'messages[].role'),
      cohere: '{"role":"system","content":"be brief"}',
      mistral: '{"role":"assistant","content":"hi"},{"role":"system","content":"be brief"}',
    },
  },
  {
    name: 'functions',
    chat: CHAT_TOOLS,
    messages: MESSAGES_TOOLS,
    responses: RESPONSES_TOOLS,
    becomes: {
      openai: OPENAI_TOOL,
      anthropic: `{"name":"look_up","description":"finds it","input_schema":${SCHEMA_JSON}}`,
      gemini: `{"name":"look_up","description":"finds it","parametersJsonSchema":${SCHEMA_JSON}}`,
      bedrock: CONVERSE_TOOL,
      nova: CONVERSE_TOOL,
      cohere: OPENAI_TOOL,
      mistral: OPENAI_TOOL,
    },
  },
  {
    name: 'functions without parameters',
    chat: { tools: [{ type: 'function', function: { name: 'ping' } }] },
    responses: { tools: [{ type: 'function', name: 'ping', parameters: null, strict: null }] },
    becomes: {
      openai: '{"type":"function","function":{"name":"ping","parameters":{"type":"object","properties":{}}}}',
      anthropic: '{"name":"ping","input_schema":{"type":"object","properties":{}}}',
      gemini: '{"name":"ping","description":""}',
      bedrock: '{"toolSpec":{"name":"ping","inputSchema":{"json":{"type":"object","properties":{}}}}}',
      nova: '{"toolSpec":{"name":"ping","inputSchema":{"json":{"type":"object","properties":{}}}}}',
      cohere: '"function":{"name":"ping","parameters":{"type":"object","properties":{}}}',
      mistral: '{"type":"function","function":{"name":"ping","parameters":{"type":"object","properties":{}}}}',
    },
  },
  {
    name: 'functions whose schema binds (`strict`)',
    chat: { tools: [{ type: 'function', function: { ...look_up, strict: true } }] },
    messages: { tools: [{ name: 'look_up', input_schema: SCHEMA, strict: true }] },
    responses: { tools: [{ type: 'function', ...look_up, strict: true }] },
    becomes: {
      openai: '"strict":true',
      anthropic: '"strict":true',
      gemini: '"mode":"VALIDATED"',
      bedrock: '"strict":true',
      nova: '"strict":true',
      cohere: '"strict_tools":true',
      mistral: '"strict":true',
    },
  },
  {
    name: 'calls at once, and their results',
    chat: chatAfter(
      { role: 'assistant', content: null, tool_calls: [call('call_a1', 'Bern'), call('call_b2', 'Rome')] },
      { role: 'tool', tool_call_id: 'call_a1', content: 'rain' },
      { role: 'tool', tool_call_id: 'call_b2', content: 'sun' },
    ),
    messages: messagesAfter(
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'call_a1', name: 'look_up', input: { city: 'Bern' } },
          { type: 'tool_use', id: 'call_b2', name: 'look_up', input: { city: 'Rome' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'call_a1', content: 'rain' },
          { type: 'tool_result', tool_use_id: 'call_b2', content: [{ type: 'text', text: 'sun' }] },
        ],
      },
    ),
    responses: responsesAfter(
      { type: 'function_call', call_id: 'call_a1', name: 'look_up', arguments: '{"city":"Bern"}' },
      { type: 'function_call', call_id: 'call_b2', name: 'look_up', arguments: '{"city":"Rome"}' },
      { type: 'function_call_output', call_id: 'call_a1', output: 'rain' },
      { type: 'function_call_output', call_id: 'call_b2', output: [{ type: 'input_text', text: 'sun' }] },
    ),
    becomes: {
      openai:
        '{"id":"call_a1","type":"function","function":{"name":"look_up","arguments":"{\\"city\\":\\"Bern\\"}"}},{"id":"call_b2" … {"role":"tool","tool_call_id":"call_a1","content":"rain"},{"role":"tool","tool_call_id":"call_b2","content":"sun"}',
      anthropic:
        '{"type":"tool_use","id":"call_a1","name":"look_up","input":{"city":"Bern"}},{"type":"tool_use","id":"call_b2" … {"role":"user","content":[{"type":"tool_result","tool_use_id":"call_a1","content":[{"type":"text","text":"rain"}]},{"type":"tool_result","tool_use_id":"call_b2"',
      gemini:
        '{"functionCall":{"id":"call_a1","name":"look_up","args":{"city":"Bern"}},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"id":"call_b2" … {"functionResponse":{"id":"call_a1","name":"look_up","response":{"output":"rain"}}},{"functionResponse":{"id":"call_b2"',
      bedrock:
        '{"toolUse":{"toolUseId":"call_a1","name":"look_up","input":{"city":"Bern"}}},{"toolUse":{"toolUseId":"call_b2" … {"toolResult":{"toolUseId":"call_a1","content":[{"text":"rain"}],"status":"success"}},{"toolResult":{"toolUseId":"call_b2"',
      nova: '{"toolUse":{"toolUseId":"call_a1","name":"look_up","input":{"city":"Bern"}}},{"toolUse":{"toolUseId":"call_b2" … {"toolResult":{"toolUseId":"call_a1","content":[{"text":"rain"}],"status":"success"}},{"toolResult":{"toolUseId":"call_b2"',
      cohere:
        '{"id":"call_a1","type":"function","function":{"name":"look_up","arguments":"{\\"city\\":\\"Bern\\"}"}},{"id":"call_b2" … {"role":"tool","tool_call_id":"call_a1","content":"rain"},{"role":"tool","tool_call_id":"call_b2","content":"sun"}',
      mistral: '"function":{"name":"look_up","arguments":"{\\"city\\":\\"Bern\\"}"}},{"id":" … "content":"rain"},{"role":"tool"',
    },
  },
  {
    name: 'calls without arguments',
    chat: chatAfter({ role: 'assistant', tool_calls: [{ id: 'call_a1', type: 'function', function: { name: 'ping', arguments: '' } }] }),
    messages: messagesAfter({ role: 'assistant', content: [{ type: 'tool_use', id: 'call_a1', name: 'ping', input: {} }] }),
    responses: responsesAfter({ type: 'function_call', call_id: 'call_a1', name: 'ping', arguments: '' }),
    becomes: {
      openai: '"name":"ping","arguments":"{}"',
      anthropic: '"name":"ping","input":{}',
      gemini: '"name":"ping","args":{}',
      bedrock: '"name":"ping","input":{}',
      nova: '"name":"ping","input":{}',
      cohere: '"name":"ping","arguments":"{}"',
      mistral: '"name":"ping","arguments":"{}"',
    },
  },
  {
    name: 'numbers of a call, to their last digit',
    chat: chatAfter({
      role: 'assistant',
      tool_calls: [{ id: 'call_a1', type: 'function', function: { name: 'ping', arguments: '{"n":12345678901234567890}' } }],
    }),
    responses: responsesAfter({ type: 'function_call', call_id: 'call_a1', name: 'ping', arguments: '{"n":12345678901234567890}' }),
    becomes: same('12345678901234567890'),
  },
  {
    name: 'pictures in the result of a tool',
    chat: chatAfter(
      { role: 'assistant', tool_calls: [call('call_a1', 'Bern')] },
      { role: 'tool', tool_call_id: 'call_a1', content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }] },
    ),
    messages: messagesAfter(
      { role: 'assistant', content: [{ type: 'tool_use', id: 'call_a1', name: 'look_up', input: { city: 'Bern' } }] },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 'call_a1',
            content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } }],
          },
        ],
      },
    ),
    responses: responsesAfter(
      { type: 'function_call', call_id: 'call_a1', name: 'look_up', arguments: '{"city":"Bern"}' },
      { type: 'function_call_output', call_id: 'call_a1', output: [{ type: 'input_image', image_url: `data:image/png;base64,${PNG}` }] },
    ),
    becomes: {
      openai: `{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,${PNG}"}}]}`,
      anthropic: `"tool_use_id":"call_a1","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"${PNG}"}}]`,
      gemini: `"parts":[{"inlineData":{"mimeType":"image/png","data":"${PNG}"}}]`,
      bedrock: `"toolUseId":"call_a1","content":[{"image":{"format":"png","source":{"bytes":"${PNG}"}}}]`,
      nova: `"toolUseId":"call_a1","content":[{"image":{"format":"png","source":{"bytes":"${PNG}"}}}]`,
      cohere: REFUSED,
      mistral: `{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,${PNG}"}}]}`,
    },
  },
  {
    name: 'that a tool failed',
    messages: messagesAfter(
      { role: 'assistant', content: [{ type: 'tool_use', id: 'call_a1', name: 'look_up', input: { city: 'Bern' } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_a1', content: 'no such city', is_error: true }] },
    ),
    becomes: {
      openai: partly('"content":"no such city"', 'is_error'),
      anthropic: '"is_error":true',
      gemini: '"response":{"error":"no such city"}',
      bedrock: '"status":"error"',
      nova: '"status":"error"',
      cohere: partly('"content":"no such city"', 'is_error'),
      mistral: partly('"content":"no such city"', 'is_error'),
    },
  },
  {
    name: 'that some tool is to be called',
    chat: { ...CHAT_TOOLS, tool_choice: 'required' },
    messages: { ...MESSAGES_TOOLS, tool_choice: { type: 'any' } },
    responses: { ...RESPONSES_TOOLS, tool_choice: 'required' },
    becomes: {
      openai: '"tool_choice":"required"',
      anthropic: '"tool_choice":{"type":"any"}',
      gemini: '{"mode":"ANY"}',
      bedrock: '"toolChoice":{"any":{}}',
      nova: '"toolChoice":{"any":{}}',
      cohere: '"tool_choice":"REQUIRED"',
      mistral: '"tool_choice":"required"',
    },
  },
  {
    name: 'that none is to be called',
    chat: { ...CHAT_TOOLS, tool_choice: 'none' },
    messages: { ...MESSAGES_TOOLS, tool_choice: { type: 'none' } },
    responses: { ...RESPONSES_TOOLS, tool_choice: 'none' },
    becomes: {
      openai: '"tool_choice":"none"',
      anthropic: '"tool_choice":{"type":"none"}',
      gemini: '{"mode":"NONE"}',
      // It is told of no tools.
      bedrock: UNSAID,
      nova: UNSAID,
      cohere: '"tool_choice":"NONE"',
      mistral: '"tool_choice":"none"',
    },
  },
  {
    name: 'which one is to be called',
    chat: { ...CHAT_TOOLS, tool_choice: { type: 'function', function: { name: 'look_up' } } },
    messages: { ...MESSAGES_TOOLS, tool_choice: { type: 'tool', name: 'look_up' } },
    responses: { ...RESPONSES_TOOLS, tool_choice: { type: 'function', name: 'look_up' } },
    becomes: {
      openai: '"tool_choice":{"type":"function","function":{"name":"look_up"}}',
      anthropic: '"tool_choice":{"type":"tool","name":"look_up"}',
      gemini: '{"mode":"ANY","allowedFunctionNames":["look_up"]}',
      bedrock: '"toolChoice":{"tool":{"name":"look_up"}}',
      nova: '"toolChoice":{"tool":{"name":"look_up"}}',
      cohere: '"tool_choice":"REQUIRED"',
      mistral: '"tool_choice":{"type":"function","function":{"name":"look_up"}}',
    },
  },
  {
    name: 'one call at a time',
    chat: { ...CHAT_TOOLS, parallel_tool_calls: false },
    messages: { ...MESSAGES_TOOLS, tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
    responses: { ...RESPONSES_TOOLS, parallel_tool_calls: false },
    becomes: {
      openai: '"parallel_tool_calls":false',
      anthropic: '"disable_parallel_tool_use":true',
      gemini: told('parallel_tool_calls'),
      bedrock: told('parallel_tool_calls'),
      nova: told('parallel_tool_calls'),
      cohere: told('parallel_tool_calls'),
      mistral: '"parallel_tool_calls":false',
    },
  },
  {
    name: 'JSON without a schema',
    chat: { response_format: { type: 'json_object' } },
    responses: { text: { format: { type: 'json_object' } } },
    becomes: {
      openai: '"response_format":{"type":"json_object"}',
      anthropic: told('response_format'),
      gemini: '"responseMimeType":"application/json"',
      bedrock: told('response_format'),
      nova: told('response_format'),
      cohere: '"response_format":{"type":"json_object"}',
      mistral: '"response_format":{"type":"json_object"}',
    },
  },
  {
    name: 'JSON of a schema',
    chat: { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: SCHEMA, strict: true } } },
    messages: { output_config: { format: { type: 'json_schema', schema: SCHEMA } } },
    responses: { text: { format: { type: 'json_schema', name: 'answer', schema: SCHEMA, strict: true } } },
    becomes: {
      openai: `"json_schema":{"name":"answer","schema":${SCHEMA_JSON},"strict":true}`,
      anthropic: `"output_config":{"format":{"type":"json_schema","schema":${SCHEMA_JSON}}}`,
      gemini: `"responseJsonSchema":${SCHEMA_JSON}`,
      bedrock: `"jsonSchema":{"name":"answer","schema":${JSON.stringify(SCHEMA_JSON)}}`,
      nova: `"jsonSchema":{"name":"answer","schema":${JSON.stringify(SCHEMA_JSON)}}`,
      cohere: `"response_format":{"type":"json_object","json_schema":${SCHEMA_JSON}}`,
      mistral: `"json_schema":{"name":"answer","schema":${SCHEMA_JSON},"strict":true}`,
    },
  },
  {
    name: 'pictures as bytes',
    chat: chatSaid({ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }),
    messages: messagesSaid({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } }),
    responses: responsesSaid({ type: 'input_image', image_url: `data:image/png;base64,${PNG}` }),
    becomes: {
      openai: `{"type":"image_url","image_url":{"url":"data:image/png;base64,${PNG}"}}`,
      anthropic: `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"${PNG}"}}`,
      gemini: `{"inlineData":{"mimeType":"image/png","data":"${PNG}"}}`,
      bedrock: `{"image":{"format":"png","source":{"bytes":"${PNG}"}}}`,
      nova: `{"image":{"format":"png","source":{"bytes":"${PNG}"}}}`,
      cohere: `{"type":"image_url","image_url":{"url":"data:image/png;base64,${PNG}"}}`,
      mistral: `{"type":"image_url","image_url":{"url":"data:image/png;base64,${PNG}"}}`,
    },
  },
  {
    name: 'pictures by address',
    chat: chatSaid({ type: 'image_url', image_url: { url: 'https://a.example/b.png' } }),
    messages: messagesSaid({ type: 'image', source: { type: 'url', url: 'https://a.example/b.png' } }),
    responses: responsesSaid({ type: 'input_image', image_url: 'https://a.example/b.png' }),
    becomes: {
      openai: '{"type":"image_url","image_url":{"url":"https://a.example/b.png"}}',
      anthropic: '{"type":"image","source":{"type":"url","url":"https://a.example/b.png"}}',
      gemini: '{"fileData":{"mimeType":"image/png","fileUri":"https://a.example/b.png"}}',
      bedrock: REFUSED,
      nova: REFUSED,
      cohere: '{"type":"image_url","image_url":{"url":"https://a.example/b.png"}}',
      mistral: '{"type":"image_url","image_url":{"url":"https://a.example/b.png"}}',
    },
  },
  {
    name: 'pictures by the id of a file',
    messages: messagesSaid({ type: 'image', source: { type: 'file', file_id: 'file_1' } }),
    responses: responsesSaid({ type: 'input_image', file_id: 'file_1' }),
    becomes: { ...same<Becomes>(REFUSED), anthropic: '{"type":"image","source":{"type":"file","file_id":"file_1"}}' },
  },
  {
    name: 'how closely a picture is looked at',
    chat: chatSaid({ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}`, detail: 'low' } }),
    responses: responsesSaid({ type: 'input_image', image_url: `data:image/png;base64,${PNG}`, detail: 'low' }),
    becomes: {
      openai: '"detail":"low"',
      anthropic: told('messages[].content[].image_url.detail'),
      gemini: told('messages[].content[].image_url.detail'),
      bedrock: told('messages[].content[].image_url.detail'),
      nova: told('messages[].content[].image_url.detail'),
      cohere: '"detail":"low"',
      mistral: '"detail":"low"',
    },
  },
  {
    name: 'sound',
    chat: chatSaid({ type: 'input_audio', input_audio: { data: WAV, format: 'wav' } }),
    responses: responsesSaid({ type: 'input_audio', input_audio: { data: WAV, format: 'wav' } }),
    becomes: {
      openai: `{"type":"input_audio","input_audio":{"data":"${WAV}","format":"wav"}}`,
      anthropic: REFUSED,
      gemini: `{"inlineData":{"mimeType":"audio/wav","data":"${WAV}"}}`,
      bedrock: `{"audio":{"format":"wav","source":{"bytes":"${WAV}"}}}`,
      nova: `{"audio":{"format":"wav","source":{"bytes":"${WAV}"}}}`,
      cohere: REFUSED,
      mistral: `{"type":"input_audio","input_audio":"${WAV}"}`,
    },
  },
  {
    name: 'PDF as bytes, with its name',
    chat: chatSaid({ type: 'file', file: { filename: 'report.pdf', file_data: `data:application/pdf;base64,${PDF}` } }),
    messages: messagesSaid({
      type: 'document',
      title: 'report.pdf',
      source: { type: 'base64', media_type: 'application/pdf', data: PDF },
    }),
    responses: responsesSaid({ type: 'input_file', filename: 'report.pdf', file_data: `data:application/pdf;base64,${PDF}` }),
    becomes: {
      openai: `{"type":"file","file":{"filename":"report.pdf","file_data":"data:application/pdf;base64,${PDF}"}}`,
      anthropic: `{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"${PDF}"},"title":"report.pdf"}`,
      gemini: partly(`{"inlineData":{"mimeType":"application/pdf","data":"${PDF}"}}`, 'messages[].content[].file.filename'),
      bedrock: `{"document":{"format":"pdf","source":{"bytes":"${PDF}"},"name":"report pdf"}}`,
      nova: `{"document":{"format":"pdf","source":{"bytes":"${PDF}"},"name":"report pdf"}}`,
      cohere: REFUSED,
      mistral: `{"type":"document_url","document_url":"data:application/pdf;base64,${PDF}","document_name":"report.pdf"}`,
    },
  },
  {
    name: 'PDF by address',
    messages: messagesSaid({ type: 'document', source: { type: 'url', url: 'https://a.example/b.pdf' } }),
    responses: responsesSaid({ type: 'input_file', file_url: 'https://a.example/b.pdf' }),
    becomes: {
      openai: REFUSED,
      anthropic: '{"type":"document","source":{"type":"url","url":"https://a.example/b.pdf"}}',
      gemini: '{"fileData":{"mimeType":"application/pdf","fileUri":"https://a.example/b.pdf"}}',
      bedrock: REFUSED,
      nova: REFUSED,
      cohere: REFUSED,
      mistral: '{"type":"document_url","document_url":"https://a.example/b.pdf"}',
    },
  },
  {
    name: 'documents as text',
    messages: messagesSaid({ type: 'document', title: 'notes', source: { type: 'text', media_type: 'text/plain', data: 'long ago' } }),
    becomes: {
      openai: '{"type":"text","text":"notes\\n\\nlong ago"}',
      anthropic: '{"type":"document","source":{"type":"text","media_type":"text/plain","data":"long ago"},"title":"notes"}',
      gemini: partly('{"text":"long ago"}', 'messages[].content[].file.filename'),
      bedrock: '{"document":{"format":"txt","source":{"bytes":"bG9uZyBhZ28="},"name":"notes"}}',
      nova: '{"document":{"format":"txt","source":{"bytes":"bG9uZyBhZ28="},"name":"notes"}}',
      cohere: '"documents":[{"id":"doc:0","data":{"title":"notes","text":"long ago"}}]',
      mistral: '{"type":"text","text":"notes\\n\\nlong ago"}',
    },
  },
  {
    name: 'documents by the id of a file',
    chat: chatSaid({ type: 'file', file: { file_id: 'file_1' } }),
    messages: messagesSaid({ type: 'document', source: { type: 'file', file_id: 'file_1' } }),
    responses: responsesSaid({ type: 'input_file', file_id: 'file_1' }),
    becomes: {
      openai: '{"type":"file","file":{"file_id":"file_1"}}',
      anthropic: '{"type":"document","source":{"type":"file","file_id":"file_1"}}',
      gemini: REFUSED,
      bedrock: REFUSED,
      nova: REFUSED,
      cohere: REFUSED,
      mistral: '{"type":"file","file_id":"file_1"}',
    },
  },
  {
    name: 'that a document may be cited',
    messages: messagesSaid({
      type: 'document',
      source: { type: 'text', media_type: 'text/plain', data: 'long ago' },
      citations: { enabled: true },
    }),
    becomes: { ...same<Becomes>(told('messages[].content[].citations')), anthropic: '"citations":{"enabled":true}' },
  },
  {
    name: 'an effort of reasoning',
    chat: { reasoning_effort: 'medium' },
    messages: { output_config: { effort: 'medium' }, max_tokens: 20_000 },
    responses: { reasoning: { effort: 'medium' } },
    becomes: {
      openai: '"reasoning_effort":"medium"',
      anthropic: partly('"thinking":{"type":"enabled","budget_tokens":8192}', 'reasoning_effort'),
      gemini: '"thinkingConfig":{"thinkingLevel":"medium"}',
      bedrock: partly('"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":8192}', 'reasoning_effort'),
      nova: '"reasoningConfig":{"type":"enabled","maxReasoningEffort":"medium"}',
      cohere: partly('"thinking":{"type":"enabled"}', 'reasoning_effort'),
      mistral: '"reasoning_effort":"medium"',
    },
  },
  {
    name: 'no reasoning',
    chat: { reasoning_effort: 'none' },
    messages: { thinking: { type: 'disabled' } },
    responses: { reasoning: { effort: 'none' } },
    becomes: {
      openai: '"reasoning_effort":"none"',
      // It does not reason unasked.
      anthropic: UNSAID,
      gemini: partly('"thinkingLevel":"low"', 'reasoning_effort'),
      bedrock: UNSAID,
      nova: UNSAID,
      cohere: '"thinking":{"type":"disabled"}',
      mistral: '"reasoning_effort":"none"',
    },
  },
  {
    name: 'a budget of reasoning',
    chat: { thinking: { type: 'enabled', budget_tokens: 2_000 }, max_tokens: 4_000 },
    messages: { thinking: { type: 'enabled', budget_tokens: 2_000 }, max_tokens: 4_000 },
    becomes: {
      openai: partly('"reasoning_effort":"low"', 'thinking.budget_tokens'),
      anthropic: '"thinking":{"type":"enabled","budget_tokens":2000}',
      gemini: '"thinkingConfig":{"thinkingBudget":2000}',
      bedrock: '"thinking":{"type":"enabled","budget_tokens":2000}',
      nova: told('thinking.budget_tokens'),
      cohere: '"thinking":{"type":"enabled","token_budget":2000}',
      mistral: partly('"reasoning_effort":"low"', 'thinking.budget_tokens'),
    },
  },
  {
    name: 'reasoning with its signature',
    chat: chatAfter({
      role: 'assistant',
      content: 'hi',
      thinking_blocks: [{ type: 'thinking', thinking: 'well', signature: 'c2ln' }],
    }),
    messages: messagesAfter({
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'well', signature: 'c2ln' },
        { type: 'text', text: 'hi' },
      ],
    }),
    responses: responsesAfter(
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [{ type: 'summary_text', text: 'well' }],
        encrypted_content: writeKeptReasoning({ kind: 'thinking', signature: 'c2ln' }),
      },
      { role: 'assistant', content: 'hi' },
    ),
    becomes: {
      openai: told('thinking'),
      anthropic: '{"type":"thinking","thinking":"well","signature":"c2ln"}',
      gemini: '{"text":"well","thought":true},{"text":"hi","thoughtSignature":"c2ln"}',
      bedrock: '{"reasoningContent":{"reasoningText":{"text":"well","signature":"c2ln"}}}',
      nova: '{"reasoningContent":{"reasoningText":{"text":"well","signature":"c2ln"}}}',
      cohere: '{"type":"thinking","thinking":"well"}',
      mistral: '{"type":"thinking","thinking":[{"type":"text","text":"well"}]}',
    },
  },
  {
    name: 'reasoning that nobody signed',
    chat: chatAfter({ role: 'assistant', content: 'hi', reasoning_content: 'well' }),
    messages: messagesAfter({
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'well', signature: '' },
        { type: 'text', text: 'hi' },
      ],
    }),
    responses: responsesAfter(
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'well' }] },
      { role: 'assistant', content: 'hi' },
    ),
    becomes: {
      openai: told('thinking'),
      anthropic: told('messages[].thinking'),
      gemini: '{"text":"well","thought":true},{"text":"hi"}',
      bedrock: told('messages[].thinking'),
      nova: told('messages[].thinking'),
      cohere: '{"type":"thinking","thinking":"well"}',
      mistral: '{"type":"thinking","thinking":[{"type":"text","text":"well"}]}',
    },
  },
  {
    name: 'reasoning that is not shown',
    chat: chatAfter({ role: 'assistant', content: 'hi', thinking_blocks: [{ type: 'redacted_thinking', data: 'c2Vj' }] }),
    messages: messagesAfter({
      role: 'assistant',
      content: [
        { type: 'redacted_thinking', data: 'c2Vj' },
        { type: 'text', text: 'hi' },
      ],
    }),
    responses: responsesAfter(
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: writeKeptReasoning({ kind: 'redacted', data: 'c2Vj' }) },
      { role: 'assistant', content: 'hi' },
    ),
    becomes: {
      openai: told('thinking'),
      anthropic: '{"type":"redacted_thinking","data":"c2Vj"}',
      gemini: told('messages[].thinking'),
      bedrock: '{"reasoningContent":{"redactedContent":"c2Vj"}}',
      nova: '{"reasoningContent":{"redactedContent":"c2Vj"}}',
      cohere: told('messages[].content[].redacted_thinking'),
      mistral: told('thinking'),
    },
  },
  {
    name: 'that its reasoning is to be read',
    messages: { thinking: { type: 'adaptive', display: 'summarized' } },
    responses: { reasoning: { summary: 'auto' } },
    becomes: {
      openai: told('reasoning.summary'),
      anthropic: '"display":"summarized"',
      gemini: '"thinkingConfig":{"includeThoughts":true}',
      bedrock: '"display":"summarized"',
      nova: told('reasoning.summary'),
      // Whatever they reason is shown.
      cohere: UNSAID,
      mistral: UNSAID,
    },
  },
  {
    name: 'a refusal of before',
    chat: chatAfter({ role: 'assistant', content: null, refusal: 'I will not' }, hello),
    responses: responsesAfter({ role: 'assistant', content: [{ type: 'refusal', refusal: 'I will not' }] }, hello),
    becomes: same('I will not'),
  },
  {
    name: 'stop sequences',
    chat: { stop: ['END', 'ENOUGH'] },
    messages: { stop_sequences: ['END', 'ENOUGH'] },
    becomes: {
      openai: '"stop":["END","ENOUGH"]',
      anthropic: '"stop_sequences":["END","ENOUGH"]',
      gemini: '"stopSequences":["END","ENOUGH"]',
      bedrock: '"stopSequences":["END","ENOUGH"]',
      nova: '"stopSequences":["END","ENOUGH"]',
      cohere: '"stop_sequences":["END","ENOUGH"]',
      mistral: '"stop":["END","ENOUGH"]',
    },
  },
  {
    name: 'marks for the cache',
    chat: { messages: [{ role: 'user', content: [{ type: 'text', text: 'hello', cache_control: { type: 'ephemeral', ttl: '1h' } }] }] },
    messages: { messages: [{ role: 'user', content: [{ type: 'text', text: 'hello', cache_control: { type: 'ephemeral', ttl: '1h' } }] }] },
    becomes: {
      openai: told('cache_control'),
      anthropic: '"cache_control":{"type":"ephemeral","ttl":"1h"}',
      gemini: told('cache_control'),
      bedrock: '{"cachePoint":{"type":"default","ttl":"1h"}}',
      nova: partly('{"cachePoint":{"type":"default"}}', 'cache_control.ttl'),
      cohere: told('cache_control'),
      mistral: told('cache_control'),
    },
  },
  {
    name: 'marks for the cache at a tool',
    chat: { tools: [{ type: 'function', function: look_up, cache_control: { type: 'ephemeral' } }] },
    messages: { tools: [{ name: 'look_up', input_schema: SCHEMA, cache_control: { type: 'ephemeral' } }] },
    becomes: {
      openai: told('cache_control'),
      anthropic: '"cache_control":{"type":"ephemeral"}',
      gemini: told('cache_control'),
      bedrock: '{"cachePoint":{"type":"default"}}',
      nova: told('cache_control'),
      cohere: told('cache_control'),
      mistral: told('cache_control'),
    },
  },
  {
    name: 'probabilities of tokens',
    chat: { logprobs: true },
    responses: { include: ['message.output_text.logprobs'] },
    becomes: {
      openai: '"logprobs":true',
      anthropic: told('logprobs'),
      gemini: '"responseLogprobs":true',
      bedrock: told('logprobs'),
      nova: told('logprobs'),
      cohere: '"logprobs":true',
      mistral: told('logprobs'),
    },
  },
  {
    name: 'probabilities of their alternatives',
    chat: { logprobs: true, top_logprobs: 3 },
    responses: { include: ['message.output_text.logprobs'], top_logprobs: 3 },
    becomes: {
      openai: '"top_logprobs":3',
      anthropic: told('logprobs'),
      gemini: '"logprobs":3',
      bedrock: told('logprobs'),
      nova: told('logprobs'),
      cohere: partly('"logprobs":true', 'top_logprobs'),
      mistral: told('top_logprobs'),
    },
  },
  {
    name: 'several answers (`n`)',
    chat: { n: 3 },
    becomes: {
      openai: '"n":3',
      anthropic: told('n'),
      gemini: '"candidateCount":3',
      bedrock: told('n'),
      nova: told('n'),
      cohere: told('n'),
      mistral: '"n":3',
    },
  },
  {
    name: 'a seed',
    chat: { seed: 4711 },
    becomes: {
      openai: '"seed":4711',
      anthropic: told('seed'),
      gemini: '"seed":4711',
      bedrock: told('seed'),
      nova: told('seed'),
      cohere: '"seed":4711',
      mistral: '"random_seed":4711',
    },
  },
  {
    name: 'a service tier',
    chat: { service_tier: 'flex' },
    responses: { service_tier: 'flex' },
    becomes: {
      openai: '"service_tier":"flex"',
      anthropic: told('service_tier'),
      gemini: '"serviceTier":"flex"',
      bedrock: '"serviceTier":{"type":"flex"}',
      nova: '"serviceTier":{"type":"flex"}',
      cohere: told('service_tier'),
      mistral: told('service_tier'),
    },
  },
  {
    name: 'the standard service tier',
    chat: { service_tier: 'default' },
    messages: { service_tier: 'standard_only' },
    responses: { service_tier: 'default' },
    becomes: {
      openai: '"service_tier":"default"',
      anthropic: '"service_tier":"standard_only"',
      gemini: '"serviceTier":"standard"',
      bedrock: '"serviceTier":{"type":"default"}',
      nova: '"serviceTier":{"type":"default"}',
      cohere: told('service_tier'),
      mistral: told('service_tier'),
    },
  },
  {
    name: 'a limit of the answer',
    chat: { max_completion_tokens: 321 },
    messages: { max_tokens: 321 },
    responses: { max_output_tokens: 321 },
    becomes: {
      openai: '"max_completion_tokens":321',
      anthropic: '"max_tokens":321',
      gemini: '"maxOutputTokens":321',
      bedrock: '"maxTokens":321',
      nova: '"maxTokens":321',
      cohere: '"max_tokens":321',
      mistral: '"max_tokens":321',
    },
  },
  {
    name: 'temperature',
    chat: { temperature: 0.25 },
    messages: { temperature: 0.25 },
    responses: { temperature: 0.25 },
    becomes: same('"temperature":0.25'),
  },
  {
    name: '`top_p`',
    chat: { top_p: 0.75 },
    messages: { top_p: 0.75 },
    responses: { top_p: 0.75 },
    becomes: {
      ...same<Becomes>('"topP":0.75'),
      openai: '"top_p":0.75',
      anthropic: '"top_p":0.75',
      cohere: '"p":0.75',
      mistral: '"top_p":0.75',
    },
  },
  {
    name: '`top_k`',
    chat: { top_k: 40 },
    messages: { top_k: 40 },
    becomes: {
      openai: told('top_k'),
      anthropic: '"top_k":40',
      gemini: '"topK":40',
      bedrock: '"additionalModelRequestFields":{"top_k":40}',
      nova: '"additionalModelRequestFields":{"inferenceConfig":{"topK":40}}',
      cohere: '"k":40',
      mistral: told('top_k'),
    },
  },
  {
    name: 'penalties',
    chat: { frequency_penalty: 0.5, presence_penalty: 0.25 },
    becomes: {
      openai: '"frequency_penalty":0.5,"presence_penalty":0.25',
      anthropic: told('frequency_penalty'),
      gemini: '"frequencyPenalty":0.5,"presencePenalty":0.25',
      bedrock: told('frequency_penalty'),
      nova: told('frequency_penalty'),
      cohere: '"frequency_penalty":0.5,"presence_penalty":0.25',
      mistral: '"frequency_penalty":0.5,"presence_penalty":0.25',
    },
  },
  {
    name: 'who the user is',
    chat: { user: 'user-77' },
    messages: { metadata: { user_id: 'user-77' } },
    responses: { user: 'user-77' },
    becomes: {
      openai: '"user":"user-77"',
      anthropic: '"metadata":{"user_id":"user-77"}',
      gemini: told('user'),
      bedrock: told('user'),
      nova: told('user'),
      cohere: told('user'),
      mistral: told('user'),
    },
  },
  {
    name: 'what only OpenAI has (`logit_bias`, `prediction`, `verbosity` …)',
    chat: { logit_bias: { '50256': -100 } },
    responses: { text: { verbosity: 'low' } },
    becomes: same<Becomes>(told('')),
  },
  {
    name: 'tools that run at Anthropic or OpenAI',
    messages: { tools: [{ type: 'web_search_20260318', name: 'web_search' }] },
    responses: { tools: [{ type: 'web_search' }] },
    becomes: same<Becomes>(told('tools[].web_search')),
  },
];
