/** What lets in for a while. */
export interface AccessToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** Gets a new one. What it throws says nothing that is secret. */
export type FetchToken = (signal: AbortSignal) => Promise<AccessToken>;

/** What may be asked of a credential that an organization sealed, and of one the operator put into the environment. */
export interface CredentialOrigin {
  /** Files, the identity of the machine and servers on it are the operator's alone. */
  readonly isOperators: boolean;
}
