import type { ChangeOutcome, ExpectingVersion, Idempotent } from './change-outcome.ts';

export interface GivenRouteTarget {
  readonly modelId: string;
  /** 1 to 1,000. */
  readonly weight: number;
  readonly credentialId: string | null;
}

export interface RouteFields {
  readonly name: string;
  readonly strategy: 'single' | 'weighted';
  readonly targets: readonly GivenRouteTarget[];
  readonly maxOutputTokens: number | null;
  readonly injectMaxTokens: boolean;
}

/** Changes of the organization's routes; they hold at once. Ids are uuids. */
export interface RouteChanges {
  readonly routeCreate: (input: Idempotent & RouteFields) => Promise<ChangeOutcome<null>>;
  readonly routeUpdate: (input: ExpectingVersion & Partial<RouteFields>) => Promise<ChangeOutcome<null>>;
  readonly routeArchive: (input: ExpectingVersion) => Promise<ChangeOutcome<null>>;
}
