import fc from 'fast-check';
import { TOKEN_CLASSES } from '../../../../schema/values/token-usage.ts';
import type { AnswerEvent } from '../../../../services/proxy/conversation/answer-event.ts';

type Piece = (choice: number) => AnswerEvent;

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const piece = (kind: 'text' | 'thinking'): fc.Arbitrary<Piece> => word.map((text) => (choice) => ({ kind, choice, text }));
const signed: fc.Arbitrary<Piece[]> = fc
  .tuple(fc.array(piece('thinking'), { minLength: 1, maxLength: 3 }), word)
  .map(([thinking, signature]) => [...thinking, (choice) => ({ kind: 'thinking_signature', choice, signature })]);
const redacted: fc.Arbitrary<Piece[]> = word.map((data) => [(choice) => ({ kind: 'redacted_thinking', choice, data })]);

const call = fc.record({ name: fc.stringMatching(/^[a-z]{1,8}$/), input: fc.option(fc.dictionary(word, fc.jsonValue())), cut: fc.nat(20) });
const calls: fc.Arbitrary<Piece[]> = fc.array(call, { maxLength: 3 }).map((list) =>
  list.flatMap(({ name, input, cut }, number): Piece[] => {
    const json = input === null ? '' : JSON.stringify(input);
    const pieces = [json.slice(0, cut), json.slice(cut)].filter((text) => text !== '');
    return [
      (choice) => ({ kind: 'tool_call', choice, call: number, callId: `call_${choice}_${number}`, name, signature: null }),
      ...pieces.map(
        (text): Piece =>
          (choice) => ({ kind: 'tool_input', choice, call: number, json: text }),
      ),
    ];
  }),
);

/** One choice: thinking, then words, then calls, then its end. */
const choicePieces: fc.Arbitrary<Piece[]> = fc
  .tuple(fc.array(fc.oneof(signed, redacted), { maxLength: 2 }), fc.array(piece('text'), { maxLength: 4 }), calls)
  .map(([thinking, words, called]) => {
    const hasCalls = called.length > 0;
    const finish: Piece = (choice) => ({ kind: 'finished', choice, reason: hasCalls ? 'tool_calls' : 'stop', stopSequence: null });
    return [...thinking.flat(), ...words, ...called, finish];
  });

const tokens = fc.nat(100_000);
const usage = fc.record(
  Object.fromEntries(TOKEN_CLASSES.map((name) => [name, fc.option(tokens)])) as Record<
    (typeof TOKEN_CLASSES)[number],
    fc.Arbitrary<number | null>
  >,
);

/** Whole answers, of one choice or of several whose pieces come in turns. */
export const answerEvents: fc.Arbitrary<AnswerEvent[]> = fc
  .record({ choices: fc.array(choicePieces, { minLength: 1, maxLength: 3 }), used: fc.option(usage) })
  .map(({ choices, used }) => {
    const events: AnswerEvent[] = [{ kind: 'started', id: 'x', model: 'm', usage: null }];
    const longest = Math.max(...choices.map((pieces) => pieces.length));
    for (let at = 0; at < longest; at += 1) {
      choices.forEach((pieces, choice) => {
        const next = pieces[at];
        if (next !== undefined) events.push(next(choice));
      });
    }
    if (used !== null) events.push({ kind: 'usage', usage: used });
    return events;
  });
