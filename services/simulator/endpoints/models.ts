import type { Endpoint } from '../endpoint.ts';
import { sendFailure, sendJson } from '../endpoint.ts';
import { unknownModel } from '../failures.ts';
import { modelNames } from '../models.ts';

const path = '/v1/models';
/** 2026-01-01: models do not come into being at each start. */
const createdSeconds = 1_767_225_600;

const modelObject = (id: string) => ({ id, object: 'model', created: createdSeconds, owned_by: 'simulator' });

/** `GET /v1/models`. */
export const modelsEndpoint: Endpoint = {
  path,
  handlers: { GET: ({ response }) => sendJson(response, 200, { object: 'list', data: modelNames.map(modelObject) }) },
};

/** `GET /v1/models/{id}`. */
export const modelEndpoint: Endpoint = {
  path: `${path}/*`,
  handlers: {
    GET: ({ response, url }) => {
      const id = decodedName(url.pathname.slice(path.length + 1));
      if (modelNames.includes(id)) sendJson(response, 200, modelObject(id));
      else sendFailure(response, unknownModel(id));
    },
  },
};

/** A name that is wrongly encoded is the name of no model. */
function decodedName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
