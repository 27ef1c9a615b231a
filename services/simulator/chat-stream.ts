import type { Answer } from './answer.ts';
import type { Behavior } from './behavior.ts';
import { chatShapes } from './chat-shapes/chat-shapes.ts';
import type { Stream } from './stream-script.ts';

/** A chat answer as server-sent events in the shape of the behavior. `usageAsked` is the client's `stream_options.include_usage`. */
export function chatStream(answer: Answer, behavior: Behavior, usageAsked: boolean): Stream {
  const shape = chatShapes[behavior.usageShape];
  const end = `${behavior.newline}${behavior.newline}`;
  const comment = behavior.comments ? `: ${shape.comment}${end}` : '';
  const wish = { asked: usageAsked, unasked: behavior.usage === 'unasked', never: behavior.usage === 'none' };
  const frames = shape.events(answer, wish).map(({ json, tokens, tellsUsage }) => {
    return { text: `${comment}data: ${json}${end}`, tokens, tellsUsage };
  });
  if (shape.endsWithDone) frames.push({ text: `data: [DONE]${end}`, tokens: 0, tellsUsage: false });
  return { frames, failureAfter: () => shape.failure(answer).map((lines) => `${lines.join(behavior.newline)}${end}`) };
}
