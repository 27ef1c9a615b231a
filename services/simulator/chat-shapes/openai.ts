import type { Answer, Choice } from '../answer.ts';
import { errorEnvelope, failureInAStream } from '../failures.ts';
import { usageJson } from '../token-counts.ts';
import type { ChatEvent, ChatShape, UsageWish } from './chat-shape.ts';
import { callObject, completionId } from './chat-shape.ts';
import type { Moment } from './moments.ts';
import { momentsOf } from './moments.ts';

type Style = {
  /** Azure's verdict on a text, as members of a choice; empty for OpenAI. */
  readonly verdict: string;
  /** What goes before the first chunk and stands in a body, or null. */
  readonly promptVerdict: { readonly event: string; readonly member: string } | null;
  readonly fingerprint: (answer: Answer) => string;
};

function messageJson(choice: Choice): string {
  const text = choice.pieces.length === 0 ? '""' : JSON.stringify(choice.pieces.join(''));
  switch (choice.kind) {
    case 'content':
      return `{"role":"assistant","content":${text},"refusal":null,"annotations":[]}`;
    case 'refusal':
      return `{"role":"assistant","content":null,"refusal":${text},"annotations":[]}`;
    case 'calls':
      return `{"role":"assistant","content":null,"tool_calls":${JSON.stringify(choice.calls.map(callObject))},"refusal":null,"annotations":[]}`;
  }
}

const reasonJson = (reason: string | null): string => (reason === null ? 'null' : `"${reason}"`);

/** An answer as one JSON body. Put together as text: this is the simulator's hot path under load. */
function body(answer: Answer, withUsage: boolean, style: Style): string {
  const choices = answer.choices.map(
    (choice, index) =>
      `{"index":${index},"message":${messageJson(choice)},"logprobs":null,"finish_reason":${reasonJson(choice.finishReason)}${style.verdict}}`,
  );
  const usage = withUsage ? `"usage":${usageJson(answer.usage)},` : '';
  return (
    `{"id":"${completionId(answer)}","object":"chat.completion","created":${answer.created},"model":${JSON.stringify(answer.model)},` +
    `"choices":[${choices.join(',')}],${usage}"service_tier":"${answer.serviceTier}","system_fingerprint":${style.fingerprint(answer)}` +
    `${style.promptVerdict?.member ?? ''}}`
  );
}

function deltaJson(moment: Moment): string {
  switch (moment.kind) {
    case 'open':
      return moment.of === 'content' ? '{"role":"assistant","content":"","refusal":null}' : '{"role":"assistant","content":null}';
    case 'text':
      return `{"${moment.field}":${JSON.stringify(moment.text)}}`;
    case 'call': {
      const { call, position } = moment;
      return `{"tool_calls":[{"index":${position},"id":"${call.id}","type":"function","function":{"name":${JSON.stringify(call.name)},"arguments":""}}]}`;
    }
    case 'arguments':
      return `{"tool_calls":[{"index":${moment.position},"function":{"arguments":${JSON.stringify(moment.text)}}}]}`;
    default:
      return '{}';
  }
}

function events(answer: Answer, wish: UsageWish, style: Style): readonly ChatEvent[] {
  const asked = wish.asked && !wish.never;
  const head =
    `{"id":"${completionId(answer)}","object":"chat.completion.chunk","created":${answer.created},` +
    `"model":${JSON.stringify(answer.model)},"service_tier":"${answer.serviceTier}",` +
    `"system_fingerprint":${style.fingerprint(answer)},"choices":[`;
  const tail = asked ? ',"usage":null}' : '}';
  const usage = usageJson(answer.usage);
  const events: ChatEvent[] = [];
  if (style.promptVerdict !== null) events.push({ json: style.promptVerdict.event, tokens: 0, tellsUsage: false });
  for (const moment of momentsOf(answer, { wholeCalls: false, thoughts: false })) {
    const finish = moment.kind === 'finish' ? moment : null;
    const tellsUsage = finish?.last === true && wish.unasked;
    const verdict = moment.kind === 'text' ? style.verdict : style.verdict === '' ? '' : ',"content_filter_results":{}';
    const choice = `{"index":${moment.choice},"delta":${deltaJson(moment)},"logprobs":null,"finish_reason":${reasonJson(finish?.reason ?? null)}${verdict}}]`;
    events.push({ json: `${head}${choice}${tellsUsage ? `,"usage":${usage}}` : tail}`, tokens: moment.tokens, tellsUsage });
  }
  if (asked) events.push({ json: `${head}],"usage":${usage}}`, tokens: 0, tellsUsage: true });
  return events;
}

const createShape = (style: Style): ChatShape => ({
  // All of it: what is null is what is left out.
  told: (usage) => usage,
  body: (answer, withUsage) => body(answer, withUsage, style),
  events: (answer, wish) => events(answer, wish, style),
  endsWithDone: true,
  comment: 'simulated keep-alive',
  failure: () => [[`data: ${errorEnvelope(failureInAStream)}`]],
});

/** OpenAI itself: usage in a chunk of its own with empty `choices`, only when asked. */
export const openaiShape = createShape({ verdict: '', promptVerdict: null, fingerprint: (answer) => `"${answer.systemFingerprint}"` });

const safe = '{"filtered":false,"severity":"safe"}';
const verdicts = `{"hate":${safe},"self_harm":${safe},"sexual":${safe},"violence":${safe}}`;
const promptResults = `"prompt_filter_results":[{"prompt_index":0,"content_filter_results":${verdicts}}]`;

/** Azure OpenAI: a first chunk with empty `choices`, `id` and `model`, and the content filter's verdict on every choice. */
export const azureShape = createShape({
  verdict: `,"content_filter_results":${verdicts}`,
  promptVerdict: { event: `{"choices":[],"created":0,"id":"","model":"","object":"",${promptResults}}`, member: `,${promptResults}` },
  fingerprint: () => 'null',
});
