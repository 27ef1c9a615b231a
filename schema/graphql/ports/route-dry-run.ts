import type { ErrorCode } from '../../errors.ts';
import type { RequestSettled } from '../../events/request-settled.v1.ts';

export interface DryRunQuestion {
  /** uuid. */
  readonly apiKeyId: string;
  /** As an application writes it. */
  readonly model: string;
  /** Path below the proxy's address, asked by POST. */
  readonly endpoint: string;
  /** `req_…`, to be drawn by; null = nothing is drawn. */
  readonly requestId: string | null;
}

/** What the proxy would answer instead of calling a provider. */
export interface DryRunRefusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly param: string | null;
  /** Names of the models meant, where there are several. */
  readonly candidates: readonly string[];
}

export interface DryRunTarget {
  /** `mdl_…` */
  readonly modelId: string;
  readonly weight: number;
  readonly credentialSource: 'none' | 'environment' | 'organization';
  /** `crd_…`; null where it is not one of the organization's. */
  readonly credentialId: string | null;
  /** Whether its provider serves the endpoint. */
  readonly servesEndpoint: boolean;
  /** That holds now; null = its requests are unrated. */
  readonly priceVersion: string | null;
}

export interface DryRunSkip {
  /** `mdl_…` */
  readonly modelId: string;
  /** `crd_…`; null = the route names none. */
  readonly credentialId: string | null;
  readonly weight: number;
  readonly reason: 'model_gone' | 'credential_gone';
}

export interface DryRunAnswer {
  /** In the order the proxy finds them: an application is told the first. Empty = a provider would be called. */
  readonly refusals: readonly DryRunRefusal[];
  /** `rte_…`; null = the name is no route. */
  readonly routeId: string | null;
  /** As a request's event would carry it; null where the name leads nowhere. */
  readonly decision: RequestSettled['decision'] | null;
  readonly targets: readonly DryRunTarget[];
  /** Of the targets; 0 where there is none. */
  readonly weightSum: number;
  readonly skipped: readonly DryRunSkip[];
  readonly drawn: DryRunTarget | null;
}

/** What the proxy would do, asked of the registry as it is now. null = the organization has no such key. */
export type RouteDryRun = (question: DryRunQuestion) => Promise<DryRunAnswer | null>;
