import { createPostgresWorld } from './conformance/postgres-world.ts';
import { storeConformance } from './conformance/store-conformance.ts';

storeConformance(createPostgresWorld);
