/** Where the proxy serves them, by POST of a form. */
export const TRANSCRIPTIONS = '/v1/audio/transcriptions';
export const TRANSLATIONS = '/v1/audio/translations';
