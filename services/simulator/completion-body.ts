import type { Answer, Choice } from './answer.ts';
import type { Behavior } from './behavior.ts';
import { usageJson } from './token-counts.ts';

function messageJson(choice: Choice): string {
  const text = choice.pieces.length === 0 ? '""' : JSON.stringify(choice.pieces.join(''));
  switch (choice.kind) {
    case 'content':
      return `{"role":"assistant","content":${text},"refusal":null,"annotations":[]}`;
    case 'refusal':
      return `{"role":"assistant","content":null,"refusal":${text},"annotations":[]}`;
    case 'calls': {
      const calls = choice.calls.map((call) => ({
        id: call.id,
        type: 'function',
        function: { name: call.name, arguments: call.argumentPieces.join('') },
      }));
      return `{"role":"assistant","content":null,"tool_calls":${JSON.stringify(calls)},"refusal":null,"annotations":[]}`;
    }
  }
}

/** An answer as one JSON body. Put together as text: this is the simulator's hot path under load. */
export function completionBody(answer: Answer, behavior: Behavior): string {
  const choices = answer.choices.map((choice, index) => {
    const reason = choice.finishReason === null ? 'null' : `"${choice.finishReason}"`;
    return `{"index":${index},"message":${messageJson(choice)},"logprobs":null,"finish_reason":${reason}}`;
  });
  const usage = behavior.usage === 'none' ? '' : `"usage":${usageJson(answer.usage)},`;
  return (
    `{"id":"${answer.id}","object":"chat.completion","created":${answer.created},"model":${JSON.stringify(answer.model)},` +
    `"choices":[${choices.join(',')}],${usage}"service_tier":"${answer.serviceTier}","system_fingerprint":"${answer.systemFingerprint}"}`
  );
}
