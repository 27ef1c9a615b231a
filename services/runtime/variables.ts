/** Variables as the operating system hands them over. */
export type Variables = Readonly<Record<string, string | undefined>>;
