import { isFields } from '../../body/json-fields.ts';
import type { ReadCost } from '../openai/usage.ts';
import { reportedPico } from '../reported-cost.ts';

/** Of a stream only its last usage tells the cost; those before it say 0. */
export const perplexityCost: ReadCost = ({ cost }) => (isFields(cost) ? reportedPico(cost.total_cost) : null);
