/** What a model is asked to do, by the last part of its path. */
export type ModelOperation = 'converse' | 'converse-stream' | 'invoke' | 'invoke-with-response-stream' | 'count-tokens';

/** A model id has colons, an ARN slashes too: it is one segment of the path all the same. */
export function modelPath(model: string, operation: ModelOperation): string {
  return `/model/${encodeURIComponent(model)}/${operation}`;
}
