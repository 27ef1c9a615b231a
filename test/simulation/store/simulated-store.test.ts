import { createSimulatedWorld } from '../../services/ledger/store/conformance/simulated-world.ts';
import { storeConformance } from '../../services/ledger/store/conformance/store-conformance.ts';

storeConformance(createSimulatedWorld);
