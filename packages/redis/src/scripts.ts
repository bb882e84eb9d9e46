/**
 * The Lua that changes a key group: a hash whose fields of one byte say what it holds, all others are entries.
 *
 * Invariants:
 * - A script touches one key, looks at everything before it writes, and after that uses only commands that cannot fail.
 * - It writes only if the fence is that of its caller and the token that which its caller has seen last. So a call that arrives late, twice, or after other
 *   writes were lost changes nothing.
 *
 * Fields: `f` fence, `s` token of the last write, `n` number of entries, `m` mark, `a` mark being applied, `v` version of this format.
 *
 * @see docs/formats.md#redis
 */

import { createHash } from "node:crypto";

export interface Script {
  readonly name: string;
  readonly text: string;
  readonly sha: string;
}

/** Of the fields above. */
export const FORMAT_VERSION = "1";
export const RECORD_FIELDS = 6;

const CHECKS = `
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then return {'LOST', 'the key is gone'} end
if kind ~= 'hash' then return {'LOST', 'the key holds something else'} end
local r = redis.call('HMGET', KEYS[1], 'f', 's', 'n')
if not r[1] then return {'LOST', 'the key holds something else'} end
if r[1] ~= ARGV[1] then return {'FENCED'} end
if r[2] == ARGV[3] then return {'DONE'} end
if r[2] ~= ARGV[2] then return {'TOKEN', r[2]} end
local n = tonumber(r[3])
`;

const UNTOUCHED = `
if not n or redis.call('HLEN', KEYS[1]) ~= n + ${RECORD_FIELDS} then return {'LOST', 'entries are missing or foreign'} end
if redis.call('PTTL', KEYS[1]) ~= -1 then return {'LOST', 'the key was given a time to live'} end
`;

/** ARGV: fence. Takes over, and says what is there. */
export const TAKE = script(
  "take",
  `
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then
  redis.call('HSET', KEYS[1], 'f', ARGV[1], 's', '0', 'n', '0', 'm', '', 'a', '', 'v', '${FORMAT_VERSION}')
  return {'NEW', '', '', '0'}
end
if kind ~= 'hash' then return {'FOREIGN'} end
local r = redis.call('HMGET', KEYS[1], 'v', 'm', 'a', 'n')
if not r[1] then return {'FOREIGN'} end
if r[1] ~= '${FORMAT_VERSION}' then return {'VERSION', r[1]} end
local n = tonumber(r[4])
local whole = n and r[2] and r[3] and redis.call('HLEN', KEYS[1]) == n + ${RECORD_FIELDS} and redis.call('PTTL', KEYS[1]) == -1
redis.call('PERSIST', KEYS[1])
redis.call('HSET', KEYS[1], 'f', ARGV[1], 's', '0')
return {whole and 'HELD' or 'DAMAGED', r[2] or '', r[3] or '', r[4] or ''}
`,
);

/** ARGV: fence, token before, token after, mark being applied, packed: deleted fields, fields and values in turn. */
export const CHANGE = script(
  "change",
  `${CHECKS}${UNTOUCHED}
local deletes = cmsgpack.unpack(ARGV[5])
local puts = cmsgpack.unpack(ARGV[6])
if #deletes > 0 then n = n - redis.call('HDEL', KEYS[1], unpack(deletes)) end
if #puts > 0 then n = n + redis.call('HSET', KEYS[1], unpack(puts)) end
redis.call('HSET', KEYS[1], 's', ARGV[3], 'a', ARGV[4], 'n', string.format('%.0f', n))
return {'DONE'}
`,
);

/** ARGV: fence, token before, token after, mark. Everything up to that mark is there. */
export const MARK = script(
  "mark",
  `${CHECKS}${UNTOUCHED}
redis.call('HSET', KEYS[1], 's', ARGV[3], 'a', '', 'm', ARGV[4])
return {'DONE'}
`,
);

/** ARGV: fence, token before, token after. Removes everything but the record. */
export const RESET = script(
  "reset",
  `${CHECKS}
redis.call('UNLINK', KEYS[1])
redis.call('HSET', KEYS[1], 'f', ARGV[1], 's', ARGV[3], 'n', '0', 'm', '', 'a', '', 'v', '${FORMAT_VERSION}')
return {'DONE'}
`,
);

/** ARGV: fence. Nothing here is to be trusted any more. */
export const TAINT = script(
  "taint",
  `
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return {'DONE'} end
if redis.call('HGET', KEYS[1], 'f') ~= ARGV[1] then return {'FENCED'} end
redis.call('HSET', KEYS[1], 'n', 'x')
return {'DONE'}
`,
);

export function script(name: string, text: string): Script {
  return { name, text, sha: createHash("sha1").update(text).digest("hex") };
}
