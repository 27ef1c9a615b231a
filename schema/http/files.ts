/** Where the proxy serves files that are kept at providers; single ones below it. */
export const FILES = '/v1/files';
