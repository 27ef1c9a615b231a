import { REQUEST_SETTLED_TYPE, RequestSettled, RequestSubject, SUBJECT_HEADER } from './request-settled.v1.ts';
import { MAX_EVENT_BYTES, REQUESTS_TOPIC } from './topics.ts';

const KAFKA_BINDING = '0.5.0';
const constant = (value: string, description: string) => ({ type: 'string', const: value, description });
const described = (description: string, format?: string) => ({ type: 'string', description, ...(format === undefined ? {} : { format }) });

const headers = {
  type: 'object',
  required: ['content-type', 'ce_specversion', 'ce_id', 'ce_source', 'ce_type', 'ce_time', 'ce_subject', 'ce_partitionkey'],
  properties: {
    'content-type': constant('application/json', 'Media type of the value.'),
    ce_specversion: constant('1.0', 'CloudEvents, binary mode.'),
    ce_id: described('Request id: event id, idempotency key of the ledger and x-request-id.'),
    ce_source: described('Proxy and its boot: /turnpike/proxy/<node>/<epoch>.', 'uri-reference'),
    ce_type: constant(REQUEST_SETTLED_TYPE, 'Type and version of the value.'),
    ce_time: described('When the request was settled.', 'date-time'),
    ce_subject: described('API key id.'),
    ce_partitionkey: described('API key id, equal to the record key.'),
    [SUBJECT_HEADER]: described(
      'Personal data beside the event, as JSON text of the schema RequestSubject; erasable, never hashed into a leaf.',
    ),
  },
};

const document = {
  asyncapi: '3.1.0',
  info: {
    title: 'turnpike event log',
    version: '1.0.0',
    description: 'What the proxies write and the ledger reads. One event per authenticated request, whatever its outcome.',
    license: { name: 'Apache-2.0' },
  },
  defaultContentType: 'application/json',
  channels: {
    requests: {
      address: REQUESTS_TOPIC.name,
      title: 'Settled requests',
      description:
        'Keyed by API key id with an explicit partition by murmur2; events of one key keep their order. Delivered at least once: drop duplicates by ce_id.',
      messages: { requestSettled: { $ref: '#/components/messages/requestSettled' } },
      bindings: { kafka: { topic: REQUESTS_TOPIC.name, partitions: REQUESTS_TOPIC.partitions, bindingVersion: KAFKA_BINDING } },
    },
  },
  operations: {
    settleRequest: {
      action: 'send',
      summary: 'A proxy reports a settled request.',
      channel: { $ref: '#/channels/requests' },
      messages: [{ $ref: '#/channels/requests/messages/requestSettled' }],
    },
    postRequest: {
      action: 'receive',
      summary: 'The ledger posts settled requests.',
      channel: { $ref: '#/channels/requests' },
      messages: [{ $ref: '#/channels/requests/messages/requestSettled' }],
    },
  },
  components: {
    messages: {
      requestSettled: {
        name: REQUEST_SETTLED_TYPE,
        title: 'Request settled',
        contentType: 'application/json',
        description: `At most ${MAX_EVENT_BYTES} bytes. Unknown fields are passed over.`,
        headers: { $ref: '#/components/schemas/RequestSettledHeaders' },
        payload: { $ref: '#/components/schemas/RequestSettled' },
        correlationId: { location: '$message.header#/ce_id' },
        bindings: { kafka: { key: { type: 'string', description: 'API key id.' }, bindingVersion: KAFKA_BINDING } },
      },
    },
    schemas: { RequestSettledHeaders: headers, RequestSettled, RequestSubject },
  },
};

/** The AsyncAPI 3.1 document of the event log, built from the topics and the events' own schemas; ends in a line break. */
export function renderAsyncApi(): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
