import type { Fields } from '../../body/json-fields.ts';
import type { CacheMark } from '../../conversation/conversation.ts';
import type { NotCarried } from '../../conversation/dialect.ts';

/** Behind what a point stands: a text, a tool, or anything else. */
export type CachePlace = 'text' | 'tool' | 'other';

/**
 * Writes marks as the points that Converse has for them: everything up to there is kept. Claude takes them everywhere, Nova behind texts only and for five
 * minutes, models of other makers nowhere: they refuse a request that has one where they do not know it.
 */
export class CachePoints {
  readonly #taken: 'everywhere' | 'behind_texts' | 'nowhere';
  readonly #notCarried: NotCarried;

  /** @param model its id, which has the maker's name. */
  constructor(model: string, notCarried: NotCarried) {
    this.#taken = model.includes('anthropic.') ? 'everywhere' : model.includes('amazon.nova') ? 'behind_texts' : 'nowhere';
    this.#notCarried = notCarried;
  }

  behind(place: CachePlace, mark: CacheMark | null): Fields[] {
    if (mark === null) return [];
    if (this.#taken === 'nowhere' || (this.#taken === 'behind_texts' && place !== 'text')) {
      this.#notCarried('cache_control');
      return [];
    }
    if (this.#taken === 'everywhere') return [{ cachePoint: { type: 'default', ttl: mark.ttl ?? undefined } }];
    if (mark.ttl === '1h') this.#notCarried('cache_control.ttl');
    return [{ cachePoint: { type: 'default' } }];
  }
}
