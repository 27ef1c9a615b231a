import { GraphQLError, Kind, valueFromASTUntyped } from 'graphql';
import { formatUsd, parseUsd } from '../values/money.ts';
import { builder } from './builder.ts';
import { formatDuration, parseDurationMs } from './duration.ts';
import { formatInstant, parseDate, parseInstant } from './instant.ts';
import { requireMetadata } from './metadata-json.ts';

const longestText = 8_192;

/** A parser of ours says what it expected in a RangeError; to a client that is an error of its input. */
function parseText<Value>(parse: (text: string) => Value): (value: unknown) => Value {
  return (value) => {
    if (typeof value !== 'string') throw new GraphQLError('expected a string');
    if (value.length > longestText) throw new GraphQLError(`longer than ${longestText} characters`);
    try {
      return parse(value);
    } catch (error) {
      if (error instanceof RangeError) throw new GraphQLError(error.message);
      throw error;
    }
  };
}

function parseInteger(text: string): bigint {
  if (!/^-?\d{1,38}$/.test(text)) throw new RangeError('expected a whole number as a string');
  return BigInt(text);
}

builder.scalarType('DateTime', {
  description: 'An instant: RFC 3339 in UTC with microseconds, `2026-11-21T07:40:00.123456Z`.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: (value) => formatInstant(value),
  parseValue: parseText(parseInstant),
});

builder.scalarType('Date', {
  description: 'A day of the calendar, `2026-11-21`.',
  serialize: (value) => value,
  parseValue: parseText(parseDate),
});

builder.scalarType('Duration', {
  description: 'ISO 8601 with days, hours, minutes and seconds: `PT1S`, `P7D`. Months and years have no fixed length and are refused.',
  serialize: (value) => formatDuration(value),
  parseValue: parseText(parseDurationMs),
});

builder.scalarType('Decimal', {
  description: 'An exact decimal number as a string, to 12 places, never in scientific notation: `"0.0000015"`. Money is never a Float.',
  serialize: (value) => formatUsd(value),
  parseValue: parseText(parseUsd),
});

builder.scalarType('BigInt', {
  description: 'A whole number of any size as a string, since JSON readers lose digits beyond 2^53.',
  serialize: (value) => value.toString(),
  parseValue: parseText(parseInteger),
});

builder.scalarType('Cursor', {
  description: 'Opaque: a place in a stream, for `after`. Signed; good only for the same organization and filter.',
  serialize: (value) => value,
  parseValue: parseText((text) => text),
});

builder.scalarType('JSON', {
  description: 'Free metadata, at most 16 KiB and 5 deep. Nothing that has a type of its own comes as JSON.',
  serialize: (value) => value,
  parseValue: (value) => {
    try {
      return requireMetadata(value);
    } catch (error) {
      throw new GraphQLError(error instanceof RangeError ? error.message : 'not JSON');
    }
  },
  parseLiteral: (node, variables) => {
    if (node.kind === Kind.VARIABLE) return variables?.[node.name.value];
    return requireMetadata(valueFromASTUntyped(node, variables));
  },
});
