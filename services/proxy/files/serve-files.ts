import { Readable } from 'node:stream';
import { GatewayError } from '../../../schema/errors.ts';
import { FILES } from '../../../schema/http/files.ts';
import { catalogOf } from '../../registry/catalog/build-catalogs.ts';
import { endpointRefusal } from '../../registry/catalog/endpoint-refusal.ts';
import { resolveModel } from '../../registry/catalog/resolve-model.ts';
import { openaiErrors } from '../answer/openai-errors.ts';
import { textOf } from '../body/json-fields.ts';
import { formBoundary } from '../body/multipart-form.ts';
import type { AccountEndpoint, AccountRoute } from '../endpoints/account-endpoint.ts';
import { isSharedAccount } from '../endpoints/shared-account.ts';
import type { Exchange } from '../exchange.ts';
import type { IncomingRequest } from '../http/incoming-request.ts';
import { unlistedModel } from '../pass-through/unlisted-model.ts';
import { PROVIDERS } from '../providers/registry.ts';
import type { CompiledModel } from '../snapshot/compiled-model.ts';
import type { AccountAnswer, AccountCalls } from './account-calls.ts';
import type { AccountRequests, PassedAnswer, PreparedRequest } from './account-requests.ts';
import { passed } from './account-requests.ts';
import type { Renamed } from './batch-line.ts';
import { fitsInPlace } from './batch-line.ts';
import type { FileRecord, FileRecords } from './file-records.ts';
import { formPieces } from './form-pieces.ts';
import { askedPage, listOf } from './listing.ts';
import { organizationOf } from './organization-of.ts';
import { accountAt, accountsOf, chooseAccount, isProviderId, PROVIDER_HEADER, referenceTo } from './provider-account.ts';
import { recorded } from './recorded.ts';
import { Upload } from './upload.ts';

export interface FilesOptions {
  readonly requests: AccountRequests;
  readonly calls: AccountCalls;
  readonly records: FileRecords;
  /** Whether what a batch cost is still to be read out of a file of an organization. */
  readonly isOwed: (organizationId: string, fileId: string) => Promise<boolean>;
}

/** Uploads at once; each may hold two lines of 8 MiB. */
const MAX_UPLOADS = 32;
/** As many as OpenAI gives at most. */
const USUAL_PAGE = 1_000;
const CONTENT = '/content';
/** `/v1/files`: each lies with one provider, belongs to one organization, and is found by the id that the provider gave it. */
export function filesEndpoint({ requests, calls, records, isOwed }: FilesOptions): AccountEndpoint {
  let uploads = 0;

  const find = async (exchange: Exchange, id: string): Promise<FileRecord> => {
    const file = isProviderId(id) ? await recorded(records.find(organizationOf(exchange), id)) : null;
    if (file === null) throw new GatewayError('file_not_found', { message: `There is no file '${id.slice(0, 256)}'.`, param: 'file_id' });
    return file;
  };

  /** A request about one file, for the account that it lies in. */
  const about =
    (method: 'GET' | 'DELETE', suffix: string, answer: (answering: Answering) => Promise<PassedAnswer>): AboutFile =>
    async (exchange, id) => {
      const file = await find(exchange, id);
      const account = accountAt(exchange.snapshot, file.organizationId, file);
      const call = { method, path: `/files/${id}${suffix}`, headers: ['x-request-id', exchange.requestId] };
      const asked = () => calls.ask(account, call);
      const opened = async (): Promise<PassedAnswer> => {
        const { status, headers, body } = await calls.open(account, call);
        return { status, contentType: headers['content-type'] ?? 'application/octet-stream', body };
      };
      return { target: unlistedModel(account), call: () => answer({ file, asked, opened }) };
    };

  const retrieve = about('GET', '', async ({ file, asked }) => {
    const answer = await asked();
    await recorded(records.describe(file.organizationId, file.id, answer.value));
    return passed(answer);
  });
  const remove = about('DELETE', '', async ({ file, asked }) => {
    if (await recorded(isOwed(file.organizationId, file.id))) throw new GatewayError('batch_not_settled');
    const answer = await asked();
    await recorded(records.remove(file.organizationId, file.id));
    return passed(answer);
  });
  const content = about('GET', CONTENT, ({ opened }) => opened());

  const prepareUpload = async (exchange: Exchange, request: IncomingRequest, boundary: string): Promise<PreparedRequest> => {
    const { headers } = request;
    const upload = new Upload(formPieces(request.iterator({ destroyOnReturn: false }), boundary));
    const requested = await upload.firstModel();
    exchange.modelRequested = requested;
    const named = textOf(headers[PROVIDER_HEADER]);
    const target =
      requested === null
        ? unlistedModel(chooseAccount(accountsOf(exchange.snapshot, exchange.key), named))
        : modelOf(exchange, requested, named);
    const length = headers['content-length'];
    const rename = requested === null ? null : { from: requested, to: target.upstreamModel };
    const keepsLength = length !== undefined && (rename === null || fitsInPlace(rename));
    const renamed: Renamed | null =
      rename === null ? null : { ...rename, keepsLength, isShared: isSharedAccount(exchange.snapshot, target) };

    const call = async (): Promise<PassedAnswer> => {
      let fault: unknown = null;
      const body = Readable.from(
        noting(upload.body(renamed), (error) => {
          fault = error;
        }),
        { objectMode: false },
      );
      const answer = await calls
        .ask(target, {
          method: 'POST',
          path: '/files',
          headers: [
            'content-type',
            headers['content-type'] ?? '',
            ...(keepsLength ? ['content-length', length] : []),
            'x-request-id',
            exchange.requestId,
          ],
          body,
        })
        .catch((error: unknown) => {
          if (fault === null) throw error;
          throw fault instanceof GatewayError
            ? fault
            : new GatewayError(request.destroyed ? 'client_closed_request' : 'internal_error', { cause: fault });
        });
      const id = textOf(answer.value.id);
      if (id === null || !isProviderId(id)) throw new GatewayError('upstream_error', { message: 'The provider did not name the file.' });
      const model = requested === null ? null : { name: target.name, requested };
      const file = { organizationId: organizationOf(exchange), id, ...referenceTo(target), purpose: upload.purpose, model };
      await recorded(records.add(file, answer.value));
      return passed(answer);
    };
    return { target, call };
  };

  const upload: AccountRoute['serve'] = (exchange, request, _rest, refuse) => {
    const boundary = formBoundary(request.headers);
    if (boundary === null) {
      throw new GatewayError('unsupported_content_type', { message: 'Send the file as `content-type: multipart/form-data`.' });
    }
    if (uploads >= MAX_UPLOADS) throw new GatewayError('overloaded');
    uploads += 1;
    request.on('close', () => {
      uploads -= 1;
    });
    requests.pass(exchange, refuse, () => prepareUpload(exchange, request, boundary));
  };

  const below =
    (byMethod: (rest: string) => readonly [AboutFile, string]): AccountRoute['serve'] =>
    (exchange, _request, rest, refuse) => {
      const [serve, id] = byMethod(rest);
      requests.pass(exchange, refuse, () => serve(exchange, id));
    };

  return {
    path: FILES,
    errors: openaiErrors,
    routes: [
      { method: 'POST', path: FILES, serve: upload },
      {
        method: 'GET',
        path: FILES,
        serve: (exchange, request, _rest, refuse) => {
          const page = askedPage(request.url ?? '', USUAL_PAGE);
          requests.answer(exchange, refuse, async () => listOf(await recorded(records.list(organizationOf(exchange), page))));
        },
      },
      {
        method: 'GET',
        path: `${FILES}/`,
        serve: below((rest) => (rest.endsWith(CONTENT) ? [content, rest.slice(0, -CONTENT.length)] : [retrieve, rest])),
      },
      { method: 'DELETE', path: `${FILES}/`, serve: below((rest) => [remove, rest]) },
    ],
  };
}

type AboutFile = (exchange: Exchange, id: string) => Promise<PreparedRequest>;

/** What an answer about a file is made with. */
interface Answering {
  readonly file: FileRecord;
  readonly asked: () => Promise<AccountAnswer>;
  readonly opened: () => Promise<PassedAnswer>;
}

/** The one model that the lines of a file ask for. @throws {GatewayError} */
function modelOf(exchange: Exchange, requested: string, named: string | null): CompiledModel {
  const { key, snapshot } = exchange;
  const { decisions } = resolveModel(catalogOf(snapshot.catalogs, key.organizationId), key, requested);
  const [{ target }] = decisions;
  if (decisions.length > 1) {
    const message = `'${requested}' is a route with several targets: all lines of a batch go to one model, so name that.`;
    throw new GatewayError('invalid_request', { message, param: 'file' });
  }
  if (PROVIDERS[target.provider.protocol].accountPath === undefined) throw endpointRefusal(target, FILES);
  if (named !== null && named !== target.provider.name) {
    const message = `The lines of the file name a model of '${target.provider.name}', the header '${PROVIDER_HEADER}' names '${named.slice(0, 64)}'.`;
    throw new GatewayError('invalid_request', { message, param: PROVIDER_HEADER });
  }
  return target;
}

async function* noting(body: AsyncIterable<Buffer>, onFault: (error: unknown) => void): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* body;
  } catch (error) {
    onFault(error);
    throw error;
  }
}
