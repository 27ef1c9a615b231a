import type { SubscriptionChecker } from '../checker/subscription-checker.ts';
import type { Dice } from '../dice.ts';
import type { Counts } from '../faults/counts.ts';
import type { Network } from '../faults/network.ts';
import type { Life } from '../life.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Api, Tail } from './api.ts';

/** An application that follows an organization's requests, and comes back with its last cursor whenever it loses its connection. */
export interface Subscriber {
  readonly checker: SubscriptionChecker;
  readonly organizationUuid: string;
  /** Loses its connection. */
  disconnect(): void;
}

export function startSubscriber(options: {
  readonly name: string;
  readonly organizationUuid: string;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly network: Network;
  readonly counts: Counts;
  readonly checker: SubscriptionChecker;
  /** An api node that runs, or null. */
  readonly node: () => { readonly life: Life; readonly api: Api } | null;
}): Subscriber {
  const { name, scheduler, dice, network, counts, checker } = options;
  let cursor: string | null = null;
  let connection = 0;
  let open: { readonly life: Life; readonly tail: Tail } | null = null;

  function connectLater(delayMs: number): void {
    const mine = ++connection;
    scheduler.after(delayMs, `${name} connects`, () => {
      if (mine === connection) connect(mine);
    });
  }

  function connect(mine: number): void {
    const node = options.node();
    if (node === null) {
      connectLater(dice.between(200, 1_000));
      return;
    }
    const { life, api } = node;
    life.whenDead(() => {
      if (mine !== connection) return;
      open = null;
      connectLater(dice.between(50, 1_000));
    });
    counts.add('subscriptions opened');
    const failed = (): void => {
      if (mine === connection) connectLater(dice.between(100, 1_000));
    };
    life.run('subscribe', () => {
      api.tail(options.organizationUuid, cursor).then((tail) => {
        if (mine !== connection) {
          void tail.return?.();
          return;
        }
        open = { life, tail };
        pull(mine, life, tail);
      }, failed);
    });
  }

  /** One event at a time, each on its way for a moment, in which the connection may be lost. */
  function pull(mine: number, life: Life, tail: Tail): void {
    tail.next().then(
      ({ done, value }) => {
        if (mine !== connection || !life.alive) return;
        scheduler.after(network.latencyMs(), `${name} receives`, () => {
          if (mine !== connection) return;
          if (done === true || value.kind === 'end') {
            open = null;
            connectLater(dice.between(50, 500));
            return;
          }
          if (value.kind === 'request') checker.received(value.position, value.entry.request_id);
          else if (value.kind === 'gap') checker.gap(value.reason);
          cursor = value.kind === 'gap' ? value.to : value.cursor;
          if (life.alive) life.run('pull', () => pull(mine, life, tail));
        });
      },
      () => {
        if (mine === connection) connectLater(dice.between(100, 1_000));
      },
    );
  }

  connectLater(dice.between(0, 500));
  return {
    checker,
    organizationUuid: options.organizationUuid,
    disconnect() {
      const lost = open;
      open = null;
      if (lost !== null) lost.life.run('disconnect', () => void lost.tail.return?.());
      connectLater(dice.between(20, 3_000));
    },
  };
}
