/** What a text is embedded for, in Cohere's words and in Google's. */
const TASKS: ReadonlyMap<unknown, string> = new Map([
  ['search_document', 'RETRIEVAL_DOCUMENT'],
  ['search_query', 'RETRIEVAL_QUERY'],
  ['classification', 'CLASSIFICATION'],
  ['clustering', 'CLUSTERING'],
]);

/** How a text is embedded, as an application says it beside OpenAI's words. */
export interface EmbeddingTask {
  readonly taskType: unknown;
  readonly title: unknown;
}

/**
 * What is said of the purpose of texts: Google's own `task_type` and `title`, or Cohere's `input_type`.
 * @param notCarried told of whatever else is said.
 */
export function embeddingTask(others: ReadonlyMap<string, unknown>, notCarried: (name: string) => void): EmbeddingTask {
  let taskType: unknown;
  let title: unknown;
  for (const [name, value] of others) {
    if (name === 'task_type') taskType = value;
    else if (name === 'title') title = value;
    else if (name === 'input_type' && TASKS.has(value)) taskType ??= TASKS.get(value);
    else notCarried(name);
  }
  return { taskType, title };
}
