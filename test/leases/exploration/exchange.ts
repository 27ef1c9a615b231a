import type { RegisterAnswer } from '../../../services/proxy/admission/leases/lease-boot.ts';
import type { AskAnswer, BeatAnswer, LeaseEffect } from '../../../services/proxy/admission/leases/lease-effects.ts';
import type { ReportAnswer } from '../mirror/generation.ts';
import type { ReturnAnswer } from '../mirror/lease-return.ts';
import type { Parts } from './parts.ts';
import type { Sender, World } from './world.ts';

type Ask = Extract<LeaseEffect, { kind: 'ask' }>;

/** What the database answered, in the module's words. */
export type Exchange =
  | { readonly kind: 'ask'; readonly ask: Ask; readonly answer: AskAnswer }
  | { readonly kind: 'beat'; readonly answer: BeatAnswer }
  | {
      readonly kind: 'return';
      readonly answer: { readonly generation: number; readonly reconciling: boolean; readonly items: ReturnAnswer['items'] };
    }
  | { readonly kind: 'register'; readonly answer: RegisterAnswer }
  | { readonly kind: 'report'; readonly answer: ReportAnswer };

/** Runs the statement an effect stands for. */
export function executed(parts: Parts, world: World, sender: Sender, epoch: number, effect: LeaseEffect): Exchange {
  const { database } = world;
  const { name, incarnation } = sender;
  switch (effect.kind) {
    case 'ask': {
      // How much would be of use later is the world's guess: as much as there is.
      const items = effect.items.map((item) => ({ ...item, want: effect.all ? item.need : world.ceiling }));
      const answer = parts.lease_ask(database, {
        node: name,
        epoch,
        generation: effect.generation,
        items,
        live: effect.live,
        all: effect.all,
      });
      return {
        kind: 'ask',
        ask: effect,
        answer: {
          status: answer.status,
          generation: answer.generation,
          items: answer.items.map(({ ends_in_ms, opens_in_ms, ...item }) => ({ ...item, endsInMs: ends_in_ms, opensInMs: opens_in_ms })),
        },
      };
    }
    case 'beat': {
      const { generation, beat, nonce, returned } = effect;
      return { kind: 'beat', answer: parts.lease_beat(database, { node: name, epoch, incarnation, generation, beat, nonce, returned }) };
    }
    case 'return': {
      const answer = parts.lease_return(database, { node: name, epoch, items: effect.items });
      return {
        kind: 'return',
        answer: { generation: answer.generation, reconciling: answer.status === 'reconciling', items: answer.items },
      };
    }
    case 'register': {
      const { finals, torn, moved } = effect;
      const registered = parts.lease_register(database, { node: name, epoch: effect.epoch, incarnation, finals, torn, moved });
      return { kind: 'register', answer: { ...registered, waitMs: registered.wait_ms } };
    }
    case 'report': {
      const { generation, beat, leases, torn } = effect;
      return { kind: 'report', answer: parts.lease_report(database, { node: name, epoch, incarnation, generation, beat, leases, torn }) };
    }
    default:
      throw new Error(`${effect.kind} is no statement`);
  }
}
