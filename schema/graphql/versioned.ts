import { builder } from './builder.ts';

interface VersionedRow {
  readonly version: number;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** What every mutable object has: `version` counts its changes and is what `expectedVersion` is compared with. */
export const Versioned = builder.interfaceRef<VersionedRow>('Versioned').implement({
  description: 'A mutable object. `version` grows by one with each change.',
  fields: (t) => ({
    version: t.exposeInt('version'),
    createdAt: t.expose('created_at', { type: 'DateTime' }),
    updatedAt: t.expose('updated_at', { type: 'DateTime' }),
  }),
});
