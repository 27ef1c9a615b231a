export const MODELS = '/v1/models';

/** One entry of `GET /v1/models`, and the whole answer of `GET /v1/models/{id}`. */
export interface ModelObject {
  /** `provider/model`. */
  readonly id: string;
  readonly object: 'model';
  /** Epoch seconds. */
  readonly created: number;
  readonly owned_by: string;
}

/** Answer of `GET /v1/models`. */
export interface ModelList {
  readonly object: 'list';
  readonly data: readonly ModelObject[];
}
