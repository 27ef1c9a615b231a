import type { AnswerEvent } from '../../services/proxy/conversation/answer-event.ts';
import type { Conversation } from '../../services/proxy/conversation/conversation.ts';
import type { AnswerSink, ProviderDialect } from '../../services/proxy/conversation/dialect.ts';
import type { AnswerFacts, ProviderRefusal } from '../../services/proxy/providers/provider.ts';
import type { CompiledModel } from '../../services/proxy/snapshot/compiled-model.ts';

/** A conversation that says `hello` and nothing else, but for what is given. */
export function testConversation(fields: Partial<Conversation> = {}): Conversation {
  return {
    turns: [{ role: 'user', parts: [{ kind: 'text', text: 'hello', cache: null }] }],
    tools: [],
    toolChoice: null,
    parallelToolCalls: null,
    maxOutputTokens: null,
    temperature: null,
    topP: null,
    topK: null,
    frequencyPenalty: null,
    presencePenalty: null,
    seed: null,
    stopSequences: [],
    choices: 1,
    logprobs: null,
    reasoning: null,
    outputFormat: { kind: 'text' },
    serviceTier: null,
    endUser: null,
    stream: false,
    ...fields,
  };
}

/** What a request of a dialect is written for. */
export function testTarget(upstreamModel: string, fields: Partial<CompiledModel> = {}): CompiledModel {
  return {
    id: 'mdl_00000000000000000000000000',
    name: `test/${upstreamModel}`,
    provider: {
      id: 'prv_00000000000000000000000000',
      name: 'test',
      organizationId: null,
      protocol: 'openai',
      baseUrl: 'http://127.0.0.1:9',
      credential: null,
      options: {},
    },
    credential: { kind: 'none' },
    upstreamModel,
    createdAt: 0,
    contextWindow: null,
    maxOutputTokens: null,
    prices: [],
    ...fields,
  };
}

/** What a stream told, read in pieces that end at the given places. */
export interface ReadStream {
  readonly events: readonly AnswerEvent[];
  readonly ended: 'completed' | 'failed' | 'broken' | 'unfinished';
  readonly failure: ProviderRefusal | null;
  readonly facts: AnswerFacts;
  /** What it had and no event can tell. */
  readonly notCarried: readonly string[];
}

/** Reads a stream as its bytes come from the network, then ends it. */
export function readStream(dialect: Pick<ProviderDialect, 'createStreamReader'>, bytes: Buffer, cuts: readonly number[] = []): ReadStream {
  const events: AnswerEvent[] = [];
  let ended: ReadStream['ended'] = 'unfinished';
  const notCarried: string[] = [];
  let failure: ProviderRefusal | null = null;
  const end = (how: ReadStream['ended']): void => {
    if (ended !== 'unfinished') throw new Error(`${how} after ${ended}`);
    ended = how;
  };
  const sink: AnswerSink = {
    event: (event) => {
      if (ended !== 'unfinished') throw new Error(`${event.kind} after ${ended}`);
      events.push(event);
    },
    notCarried: (part) => notCarried.push(part),
    completed: () => end('completed'),
    failed: (told) => {
      end('failed');
      failure = told;
    },
    broken: () => end('broken'),
  };
  const reader = dialect.createStreamReader(sink);
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((left, right) => left - right);
  for (const [index, place] of places.slice(1).entries()) reader.push(bytes.subarray(places[index], place));
  const isAtEnd = reader.end();
  if (isAtEnd !== (ended !== 'unfinished')) throw new Error('the end of the connection says otherwise');
  return { events, ended, failure, facts: reader.facts(), notCarried };
}

/** The same answer with neighboring pieces joined, as a whole answer has them; how it is told in between does not matter then. */
export function joined(events: readonly AnswerEvent[]): AnswerEvent[] {
  const whole: AnswerEvent[] = [];
  for (const event of events) {
    const last = whole.at(-1);
    if (event.kind === 'text' && last?.kind === 'text' && last.choice === event.choice) {
      whole[whole.length - 1] = { ...last, text: last.text + event.text };
    } else if (event.kind === 'thinking' && last?.kind === 'thinking' && last.choice === event.choice) {
      whole[whole.length - 1] = { ...last, text: last.text + event.text };
    } else if (event.kind === 'tool_input' && last?.kind === 'tool_input' && last.choice === event.choice && last.call === event.call) {
      whole[whole.length - 1] = { ...last, json: last.json + event.json };
    } else whole.push(event);
  }
  return whole;
}
