import { GatewayError } from '../../../schema/errors.ts';
import { imageEditBody } from '../../../schema/http/images.ts';
import { parseFormRequest } from './form-request.ts';
import { isFields } from './json-fields.ts';
import { MultipartForm } from './multipart-form.ts';

/** A request to change pictures, in a form or in JSON. */
export interface ImageEditRequest {
  /** Null: it came as JSON. */
  readonly form: MultipartForm | null;
  readonly model: string;
  readonly stream: boolean;
  /** Pictures asked for. */
  readonly images: number;
  readonly endUser: string | null;
  /** Pictures and masks that are sent, and the bytes of the body that they take up. */
  readonly pictures: number;
  readonly pictureBytes: number;
  /** Whether a picture is one that the provider keeps. */
  readonly namesFiles: boolean;
}

const MAX_IMAGES = 128;
const MAX_END_USER = 256;
/** How pictures are named in a form; one without a file's name is a picture all the same. */
const PICTURE_NAMES = ['image', 'image[]', 'mask'];

/** @throws {GatewayError} `invalid_request`. */
export function parseImageEdit(value: unknown): ImageEditRequest {
  return value instanceof MultipartForm ? ofForm(value) : ofJson(value);
}

function ofForm(value: MultipartForm): ImageEditRequest {
  const { form, model, stream } = parseFormRequest(value);
  const unnamed = PICTURE_NAMES.reduce((count, name) => count + form.texts(name).length, 0);
  // Of several numbers the provider may believe any.
  const numbers = form.texts('n').map((text) => (text === '' ? 1 : Number(text)));
  if (!numbers.every((number) => Number.isInteger(number) && number >= 1 && number <= MAX_IMAGES)) {
    throw new GatewayError('invalid_request', { message: `Invalid 'n': must be a number from 1 to ${MAX_IMAGES}.`, param: 'n' });
  }
  const [user = null] = form.texts('user');
  const endUser = user === null || user.length > MAX_END_USER ? null : user;
  const pictures = form.files + unnamed;
  return { form, model, stream, images: Math.max(1, ...numbers), endUser, pictures, pictureBytes: form.fileBytes, namesFiles: false };
}

function ofJson(value: unknown): ImageEditRequest {
  if (!imageEditBody.is(value)) throw new GatewayError('invalid_request', imageEditBody.fault(value));
  const { model, stream, n, user, images, mask } = value;
  const pictures: readonly unknown[] = [...(images ?? []), ...(mask === undefined || mask === null ? [] : [mask])];
  const pictureBytes = pictures.reduce<number>((sum, picture) => sum + addressBytes(picture), 0);
  const namesFiles = pictures.some((picture) => isFields(picture) && typeof picture.file_id === 'string');
  return {
    form: null,
    model,
    stream: stream === true,
    images: n ?? 1,
    endUser: user ?? null,
    pictures: pictures.length,
    pictureBytes,
    namesFiles,
  };
}

function addressBytes(picture: unknown): number {
  return isFields(picture) && typeof picture.image_url === 'string' ? picture.image_url.length : 0;
}
