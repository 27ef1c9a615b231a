/** What a root key may do, and what makes it one: everything in its organization, and what concerns the whole installation. */
export const ROOT_PERMISSIONS: readonly string[] = ['*', 'installation:admin'];
