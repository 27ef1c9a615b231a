import type { ReadCost } from '../openai/usage.ts';
import { reportedPico } from '../reported-cost.ts';

/** Credits, which are US dollars; models that are free report a true 0. */
export const openrouterCost: ReadCost = (usage) => reportedPico(usage.cost);
