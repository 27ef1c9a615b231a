import { CHAT_COMPLETIONS } from './chat-completions.ts';
import { MODELS } from './models.ts';

/** The endpoints of the proxy, as keys are allowed them and entries name them; what lies below a path belongs to it. */
export const ENDPOINTS = [CHAT_COMPLETIONS, MODELS] as const;

/** Whether a text names an endpoint. */
export function isEndpoint(text: string): boolean {
  return ENDPOINTS.some((endpoint) => endpoint === text);
}
