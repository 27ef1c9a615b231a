import type { KeyObject } from 'node:crypto';
import type { Random } from '../runtime/random.ts';
import { seal, unseal } from './sealing.ts';

/** Which credential of which provider a ciphertext is for; ids in text form, as the snapshot has them. */
export interface CredentialPlace {
  readonly credentialId: string;
  readonly providerId: string;
}

/** Seals a credential for its place alone: moved to another provider's row, it does not open there. */
export function sealCredential(dataKey: KeyObject, secret: string, place: CredentialPlace, random: Random): Buffer {
  return seal(dataKey, Buffer.from(secret, 'utf8'), placeOf(place), random);
}

/** The credential in plaintext, for memory only. @throws {SealError} which names the place and never the content. */
export function openCredential(dataKey: KeyObject, sealed: Buffer, place: CredentialPlace): string {
  return unseal(dataKey, sealed, placeOf(place)).toString('utf8');
}

function placeOf(place: CredentialPlace): string {
  return `credential ${place.credentialId} of provider ${place.providerId}`;
}
