import { isFields } from '../../body/json-fields.ts';
import type { MeaningOf } from '../openai/failure.ts';

/** A 403 is about the credential, unless its metadata tells why the content was flagged. */
export const openrouterMeaning: MeaningOf = (status, { fields }) => {
  const { metadata } = fields;
  const isFlagged = isFields(metadata) && (metadata.flagged_input !== undefined || metadata.reasons !== undefined);
  return status === 403 && isFlagged ? 'content_filter' : null;
};
