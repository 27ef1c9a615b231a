import type { World } from './world.ts';

/** The applications: requests to every proxy, at random. */
export interface Load {
  /** None for a while. */
  silence(forMs: number): void;
  end(): void;
}

export function startLoad(world: World): Load {
  const dice = world.dice.fork('load');
  const { scheduler, profile, counts } = world;
  let silentUntil = 0;
  let ended = false;

  function requestLater(place: number): void {
    scheduler.after(dice.between(0, 2 * profile.requestEveryMs), `application ${place + 1}`, () => {
      if (ended) return;
      const slot = world.proxies[place];
      const wait = silentUntil - scheduler.now();
      if (wait > 0) {
        scheduler.after(wait, `application ${place + 1} resumes`, () => requestLater(place));
        return;
      }
      const [life, proxy] = [slot?.life, slot?.running];
      // A burst now and then, in one turn of the event loop.
      const requests = dice.chance(0.1) ? 1 + dice.below(12) : 1;
      if (life === null || life === undefined || proxy === null || proxy === undefined)
        counts.add('requests that found no proxy', requests);
      else
        life.run('requests', () => {
          for (let request = 0; request < requests; request++) proxy.request(dice.chance(profile.slowShare));
        });
      requestLater(place);
    });
  }

  for (const place of world.proxies.keys()) requestLater(place);
  return {
    silence: (forMs) => {
      silentUntil = Math.max(silentUntil, scheduler.now() + forMs);
    },
    end: () => {
      ended = true;
    },
  };
}
