import type { KeyObject } from 'node:crypto';
import type { Random } from '../../runtime/random.ts';
import { seal, unseal } from '../sealing.ts';

/** Seals what a channel must keep secret, for this channel alone: moved to another's row, it does not open there. @param channelId in text form. */
export function sealForChannel(dataKey: KeyObject, secret: string, channelId: string, random: Random): Buffer {
  return seal(dataKey, Buffer.from(secret, 'utf8'), placeOf(channelId), random);
}

/** A channel's secret in plaintext, for memory only. @throws {SealError} which names the place and never the content. */
export function openForChannel(dataKey: KeyObject, sealed: Buffer, channelId: string): string {
  return unseal(dataKey, sealed, placeOf(channelId)).toString('utf8');
}

function placeOf(channelId: string): string {
  return `alert channel ${channelId}`;
}
