/** The OpenAI error envelope. The four fields are always there; extra ones are only ever added, since SDKs pass over unknown fields. */
export interface ErrorEnvelope {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
    readonly [extra: string]: unknown;
  };
}

/** What an error says, in its envelope. */
export function errorEnvelope(
  words: {
    readonly type: string;
    readonly code: string;
    readonly message: string;
    readonly param: string | null;
    /** Told beside the four fields, which it cannot replace. */
    readonly meta: Readonly<Record<string, unknown>>;
  },
  requestId: string,
): ErrorEnvelope {
  const { type, code, message, param, meta } = words;
  return { error: { ...meta, message, type, param, code, request_id: requestId } };
}
