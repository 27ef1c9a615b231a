import type { KeyObject } from 'node:crypto';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { badInput } from '../../../schema/graphql/bad-input.ts';

/** A place in a stream: everything up to `position` has been seen. */
export interface StreamPlace {
  /** uuid. */
  readonly organizationId: string;
  /** What the journal's positions belong to; another epoch's mean nothing here. */
  readonly epoch: string;
  readonly position: bigint;
  /** What was streamed; '' is good for any stream of the organization. */
  readonly identity: string;
}

export interface StreamCursors {
  readonly encode: (place: StreamPlace) => string;
  /** @throws GraphQLError `BAD_USER_INPUT` for what is not a cursor of this organization and stream. */
  readonly decode: (cursor: string, organizationId: string, identity: string) => StreamPlace;
}

const version = 1;
const macBytes = 16;

/** Cursors are signed, so that a place can be trusted to be one that was given out, and to whom. */
export function createStreamCursors(key: KeyObject): StreamCursors {
  const mac = (body: Buffer): Buffer => createHmac('sha256', key).update(body).digest().subarray(0, macBytes);
  return {
    encode: ({ organizationId, epoch, position, identity }) => {
      const body = Buffer.from(JSON.stringify([version, organizationId, epoch, position.toString(), identity]));
      return Buffer.concat([mac(body), body]).toString('base64url');
    },
    decode: (cursor, organizationId, identity) => {
      const bytes = Buffer.from(cursor, 'base64url');
      const body = bytes.subarray(macBytes);
      if (bytes.length <= macBytes || !timingSafeEqual(mac(body), bytes.subarray(0, macBytes)))
        throw badInput('This is not a cursor of this API.');
      // Only we can have written it, so its shape is ours.
      const [, ofOrganization, epoch, position, ofStream]: [number, string, string, string, string] = JSON.parse(body.toString());
      if (ofOrganization !== organizationId) throw badInput('This is not a cursor of this API.');
      if (ofStream !== '' && ofStream !== identity) throw badInput('This cursor comes from another stream, filter or grouping.');
      return { organizationId, epoch, position: BigInt(position), identity: ofStream };
    },
  };
}
