import { KafkaJSAggregateError, KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } from 'kafkajs';
import { expect, test } from 'vitest';
import { EventLogError } from '../../../../services/eventlog/event-log.ts';
import { brokerErrorType, toEventLogError } from '../../../../services/eventlog/kafka/faults.ts';

const answer = (type: string): KafkaJSProtocolError =>
  Object.assign(new KafkaJSProtocolError(Object.assign(new Error(`the broker said ${type}`), { type, code: 0, retriable: false })), {
    type,
  });
/** As kafkajs wraps it on the way up. */
const wrapped = (type: string): Error =>
  Object.assign(new KafkaJSNonRetriableError('retries exceeded'), {
    cause: new KafkaJSNumberOfRetriesExceeded(answer(type), { retryCount: 0, retryTime: 1 }),
  });

test.each(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD'])('%s is final: the records themselves are at fault', (type) => {
  expect(toEventLogError(wrapped(type), 'x')).toMatchObject({ retryable: false, message: `Kafka: x: ${type}` });
});

test.each([
  'NOT_LEADER_FOR_PARTITION',
  'NOT_ENOUGH_REPLICAS',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'TOPIC_AUTHORIZATION_FAILED',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'INVALID_TIMESTAMP',
  'UNKNOWN',
])('%s may pass, or a person may mend it: the records wait', (type) => {
  expect(toEventLogError(wrapped(type), 'x').retryable).toBe(true);
});

test('what no broker said may pass', () => {
  expect(toEventLogError(new TypeError('no socket'), 'x')).toMatchObject({ retryable: true, message: 'Kafka: x: no socket' });
});

test('an error of the port stays as it is', () => {
  const error = new EventLogError('mine', { retryable: false });
  expect(toEventLogError(error, 'x')).toBe(error);
});

test('one answer among several is found', () => {
  expect(brokerErrorType(new KafkaJSAggregateError('several', [answer('TOPIC_ALREADY_EXISTS')]))).toBe('TOPIC_ALREADY_EXISTS');
});
