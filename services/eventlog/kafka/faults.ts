import { EventLogError } from '../event-log.ts';

/**
 * The brokers' answers that blame the records themselves. Every other one blames the cluster, the topic, a permission or the
 * moment, which a person or time can mend: records must wait for that, for whoever is told "never" sets them aside.
 * A time that the brokers find too far ahead is the moment's: it is put on at each attempt, by a clock that is wrong just now.
 */
const BLAMES_RECORDS: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD']);

const ADVICE: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED: 'grant this user Read, Write and Describe on the topic',
  GROUP_AUTHORIZATION_FAILED: 'grant this user Read on the consumer group',
  CLUSTER_AUTHORIZATION_FAILED: 'grant this user what the cluster asks for',
  SASL_AUTHENTICATION_FAILED: 'check KAFKA_SASL_*',
  UNKNOWN_TOPIC_OR_PARTITION: 'the topic is not there, or this user may not describe it',
  INVALID_TIMESTAMP: "this machine's clock is ahead of the brokers' by more than they take",
  NOT_ENOUGH_REPLICAS: 'too few brokers are in sync for min.insync.replicas',
};

/** The brokers' name of what went wrong, however deep kafkajs wrapped it, or null. */
export function brokerErrorType(error: unknown): string | null {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 10; cause = cause.cause, depth++) {
    if ('type' in cause && typeof cause.type === 'string') return cause.type;
    if ('errors' in cause && Array.isArray(cause.errors)) {
      const types = cause.errors.map(brokerErrorType);
      const type = types.find((found) => found !== null);
      if (type !== undefined) return type;
    }
    if (cause.name === 'KafkaJSSASLAuthenticationError') return 'SASL_AUTHENTICATION_FAILED';
  }
  return null;
}

/** What failed as the port tells it. @param what e.g. "the batch was not taken". */
export function toEventLogError(error: unknown, what: string): EventLogError {
  if (error instanceof EventLogError) return error;
  const type = brokerErrorType(error);
  const message = error instanceof Error ? error.message : String(error);
  const advice = type === null ? undefined : ADVICE[type];
  return new EventLogError(`Kafka: ${what}: ${type ?? message}${advice === undefined ? '' : ` (${advice})`}`, {
    retryable: type === null || !BLAMES_RECORDS.has(type),
    cause: error,
  });
}
