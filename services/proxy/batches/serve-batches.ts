import { GatewayError } from '../../../schema/errors.ts';
import { BATCHES, batchBody } from '../../../schema/http/batches.ts';
import { uuidFromId } from '../../../schema/values/ids.ts';
import { catalogOf } from '../../registry/catalog/build-catalogs.ts';
import type { CatalogProvider } from '../../registry/catalog/catalog.ts';
import { priceAt } from '../../registry/catalog/compiled-prices.ts';
import { resolveModel } from '../../registry/catalog/resolve-model.ts';
import type { Log } from '../../runtime/log.ts';
import { openaiErrors } from '../answer/openai-errors.ts';
import { textOf } from '../body/json-fields.ts';
import type { ReceivedBody } from '../body/received-body.ts';
import type { BudgetGate } from '../budgets/budget-gate.ts';
import type { AccountEndpoint, AccountRoute } from '../endpoints/account-endpoint.ts';
import type { ServedEndpoint } from '../endpoints/served-endpoint.ts';
import type { Exchange } from '../exchange.ts';
import type { AccountCalls } from '../files/account-calls.ts';
import { AccountRefusal } from '../files/account-calls.ts';
import type { AccountRequests, PassedAnswer, PreparedRequest } from '../files/account-requests.ts';
import { passed } from '../files/account-requests.ts';
import type { FileRecord, FileRecords } from '../files/file-records.ts';
import { askedPage, listOf } from '../files/listing.ts';
import { organizationOf } from '../files/organization-of.ts';
import { accountAt, isProviderId } from '../files/provider-account.ts';
import { recorded } from '../files/recorded.ts';
import type { Idempotency } from '../idempotency/idempotency.ts';
import { unlistedModel } from '../pass-through/unlisted-model.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';
import type { BatchRecords, NewBatch } from './batch-records.ts';
import type { BatchTerms } from './batch-terms.ts';
import type { BatchTimes } from './batch-times.ts';
import type { ObserveBatch } from './observe-batch.ts';

export interface BatchesOptions {
  readonly requests: AccountRequests;
  readonly calls: AccountCalls;
  readonly files: Pick<FileRecords, 'find'>;
  readonly records: BatchRecords;
  readonly observe: ObserveBatch;
  readonly gate: Pick<BudgetGate, 'enforcing'>;
  readonly idempotency: Idempotency;
  readonly times: BatchTimes;
  readonly log: Log;
}

/** As many as OpenAI gives where it is not asked for more. */
const USUAL_PAGE = 20;
const CANCEL = '/cancel';

/** `/v1/batches`: a batch lies where its input file does, keeps the id that the provider gave it, and is charged for once, by what its output says. */
export function batchEndpoints(options: BatchesOptions): { readonly make: ServedEndpoint; readonly rest: AccountEndpoint } {
  const { requests, calls, files, records, observe, gate, idempotency, times, log } = options;

  /** Makes it. That there may be one is written down before the provider is asked. */
  const make = async (exchange: Exchange, batch: NewBatch, account: CatalogProvider, body: Buffer): Promise<PassedAnswer> => {
    await recorded(records.begin(batch, times.makingMs));
    const headers = ['content-type', 'application/json', 'x-request-id', exchange.requestId];
    const answer = await calls.ask(account, { method: 'POST', path: '/batches', headers, body }).catch(async (error: unknown) => {
      const isRefused = error instanceof AccountRefusal && error.status < 500;
      // Else nobody knows whether it was made: it is looked for.
      if (isRefused) await recorded(records.forget(batch));
      throw error;
    });
    const id = textOf(answer.value.id);
    if (id === null || !isProviderId(id)) throw new GatewayError('upstream_error', { message: 'The provider did not name the batch.' });
    try {
      await records.name(batch, id, answer.value, times.runningLeastMs);
    } catch (error) {
      // It is there, and will be found.
      log.warn({ error, batchId: id, requestId: exchange.requestId }, 'a batch was made whose name could not be written down yet');
    }
    return passed(answer);
  };

  const prepareMaking = async (exchange: Exchange, fileId: string, body: ReceivedBody): Promise<PreparedRequest> => {
    const organizationId = organizationOf(exchange);
    const file = isProviderId(fileId) ? await recorded(files.find(organizationId, fileId)) : null;
    if (file === null) throw new GatewayError('file_not_found', { message: `There is no file '${fileId}'.`, param: 'input_file_id' });
    const { target, terms } = termsOf(exchange, file);
    exchange.target = target;
    refuseUnderBudgets(exchange, gate);
    const account = accountAt(exchange.snapshot, organizationId, file);
    const requestId = uuidFromId('request', exchange.requestId);
    if (requestId === null) throw new GatewayError('internal_error');
    const { providerId, credentialId } = file;
    const batch = { organizationId, requestId, providerId, credentialId, inputFileId: fileId, terms };
    return { target, call: () => make(exchange, batch, account, body.bytes) };
  };

  const about = async (exchange: Exchange, id: string, method: 'GET' | 'POST', suffix: string): Promise<PreparedRequest> => {
    const batch = isProviderId(id) ? await recorded(records.find(organizationOf(exchange), id)) : null;
    if (batch === null)
      throw new GatewayError('batch_not_found', { message: `There is no batch '${id.slice(0, 256)}'.`, param: 'batch_id' });
    const account = accountAt(exchange.snapshot, batch.organizationId, batch);
    const call = async (): Promise<PassedAnswer> => {
      const path = `/batches/${id}${suffix}`;
      const answer = await calls.ask(account, { method, path, headers: ['x-request-id', exchange.requestId] });
      await recorded(observe(batch, answer.value, { wakes: true }));
      return passed(answer);
    };
    return { target: unlistedModel(account), call };
  };

  const list: AccountRoute['serve'] = (exchange, request, _rest, refuse) => {
    const page = askedPage(request.url ?? '', USUAL_PAGE);
    requests.answer(exchange, refuse, async () => listOf(await recorded(records.list(organizationOf(exchange), page))));
  };

  return {
    make: {
      path: BATCHES,
      paths: [BATCHES],
      errors: openaiErrors,
      body: 'json',
      serve: (exchange, body, _rest, refuse) => {
        exchange.receivedAt = body.arrivedAt;
        const { value } = body;
        if (!batchBody.is(value)) throw new GatewayError('invalid_request', batchBody.fault(value));
        const { input_file_id: fileId } = value;
        const proceed = (): void => requests.pass(exchange, refuse, () => prepareMaking(exchange, fileId, body));
        const key = exchange.headers['idempotency-key'];
        if (key === undefined) proceed();
        else idempotency.admit({ exchange, key, body: body.bytes, pieces: [body.bytes] }, proceed, refuse);
      },
    },
    rest: {
      path: BATCHES,
      errors: openaiErrors,
      routes: [
        { method: 'GET', path: BATCHES, serve: list },
        {
          method: 'GET',
          path: `${BATCHES}/`,
          serve: (exchange, _request, id, refuse) => requests.pass(exchange, refuse, () => about(exchange, id, 'GET', '')),
        },
        {
          method: 'POST',
          path: `${BATCHES}/`,
          serve: (exchange, _request, rest, refuse) => {
            if (!rest.endsWith(CANCEL)) throw new GatewayError('endpoint_not_found');
            requests.pass(exchange, refuse, () => about(exchange, rest.slice(0, -CANCEL.length), 'POST', CANCEL));
          },
        },
      ],
    },
  };
}

/** The model that the lines of a file ask for, as it is now, and what a batch of them is booked by. @throws {GatewayError} */
function termsOf(exchange: Exchange, file: FileRecord): { readonly target: CompiledModel; readonly terms: BatchTerms } {
  const { key, snapshot } = exchange;
  if (file.model === null) {
    const message = `The file '${file.id}' is no input of a batch: upload one with 'purpose' set to 'batch'.`;
    throw new GatewayError('invalid_request', { message, param: 'input_file_id' });
  }
  const { requested: modelRequested, name } = file.model;
  exchange.modelRequested = modelRequested;
  const [{ target, routeId }] = resolveModel(catalogOf(snapshot.catalogs, key.organizationId), key, modelRequested).decisions;
  if (target.name !== name) {
    const message = `The lines of the file ask for '${modelRequested}', which was '${name}' when it was uploaded and is '${target.name}' now. Upload it again.`;
    throw new GatewayError('invalid_request', { message, param: 'input_file_id' });
  }
  exchange.routeId = routeId;
  const { id, organizationId, teamId, userId, serviceAccountId, partition } = key;
  const terms: BatchTerms = {
    format: 1,
    key: { id, organizationId, teamId, userId, serviceAccountId, partition },
    tags: { ...exchange.tags },
    modelRequested,
    model: name,
    provider: target.provider.name,
    upstreamModel: target.upstreamModel,
    routeId,
    sheet: priceAt(target.prices, exchange.admittedAtMs),
  };
  return { target, terms };
}

/** What a batch will cost is known only when it is over: a budget that must not be overspent could hold nothing for it. @throws {GatewayError} */
function refuseUnderBudgets(exchange: Exchange, gate: BatchesOptions['gate']): void {
  const budget = gate.enforcing(exchange);
  if (budget === null) return;
  const message = `A budget that is enforced counts this request (${budget.id}), and what a batch costs is known only when it is over.`;
  throw new GatewayError('endpoint_not_supported', { message, meta: { budget_id: budget.id } });
}
