import type { Fields } from '../../../body/json-fields.ts';
import { isFields, textOf } from '../../../body/json-fields.ts';
import type { AnswerEvent } from '../../../conversation/answer-event.ts';

export type OnEvent = (event: AnswerEvent) => void;

interface OpenCall {
  readonly call: number;
  /** As the provider sent it; null: not yet, or never. */
  id: string | null;
  isNamed: boolean;
  /** What came of its input before its name. */
  early: string;
}

/** Reads the calls of one choice, whole or in pieces. Their numbers are the provider's where it counts them, else the order in which they come. */
export class CallReader {
  readonly #choice: number;
  readonly #answerId: string;
  readonly #onEvent: OnEvent;
  /** By the provider's number; several in turn may have the same. */
  readonly #open = new Map<number, OpenCall>();
  #count = 0;

  constructor(choice: number, answerId: string, onEvent: OnEvent) {
    this.#choice = choice;
    this.#answerId = answerId;
    this.#onEvent = onEvent;
  }

  get hasCalls(): boolean {
    return this.#count > 0;
  }

  take(pieces: readonly unknown[]): void {
    pieces.forEach((piece, position) => {
      if (isFields(piece) && isFields(piece.function)) this.#takePiece(piece, piece.function, position);
    });
  }

  #takePiece(piece: Fields, called: Fields, position: number): void {
    const id = textOf(piece.id);
    const name = textOf(called.name);
    const open = this.#callOf(typeof piece.index === 'number' ? piece.index : position, id, name);
    open.id ??= id;
    if (!open.isNamed && name !== null) {
      open.isNamed = true;
      const callId = open.id ?? `call_${this.#answerId}_${this.#choice}_${open.call}`;
      this.#onEvent({ kind: 'tool_call', choice: this.#choice, call: open.call, callId, name, signature: signatureOf(piece) });
      this.#input(open, open.early);
    }
    const json =
      typeof called.arguments === 'string' ? called.arguments : isFields(called.arguments) ? JSON.stringify(called.arguments) : '';
    if (open.isNamed) this.#input(open, json);
    else open.early += json;
  }

  /** A second name under the number of a call, with another id, is another call: some number all of them 0. */
  #callOf(index: number, id: string | null, name: string | null): OpenCall {
    const known = this.#open.get(index);
    const isSame = known !== undefined && (!known.isNamed || name === null || id === null || id === known.id);
    if (isSame) return known;
    const open = { call: this.#count, id: null, isNamed: false, early: '' };
    this.#count += 1;
    this.#open.set(index, open);
    return open;
  }

  #input({ call }: OpenCall, json: string): void {
    if (json !== '') this.#onEvent({ kind: 'tool_input', choice: this.#choice, call, json });
  }
}

/** Where Google's chat endpoint has it, which routers pass on. */
function signatureOf({ extra_content: extra }: Fields): string | null {
  return isFields(extra) && isFields(extra.google) ? textOf(extra.google.thought_signature) : null;
}
