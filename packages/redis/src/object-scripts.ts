/**
 * The Lua of stored objects. KEYS: the index of names; then, as named, the object and what is not finished of it. All in one slot.
 *
 * Invariants:
 * - An object appears whole, by one script, or not at all; it is never replaced.
 */

import { script } from "./scripts.js";

/** KEYS: index, object, parts. ARGV: length, whether it must be absent, name, the names that it continues. Makes an object of its parts. */
export const PUBLISH = script(
  "publish",
  `
local length = redis.call('STRLEN', KEYS[3])
if length ~= tonumber(ARGV[1]) then return {'LOST'} end
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and kind ~= 'zset' then return {'FOREIGN'} end
if redis.call('EXISTS', KEYS[2]) == 1 then
  local same = ARGV[2] == '1' or redis.call('GET', KEYS[2]) == (redis.call('GET', KEYS[3]) or '')
  redis.call('UNLINK', KEYS[3])
  if ARGV[2] == '1' then return {'EXISTS'} end
  return {same and 'CREATED' or 'OTHER'}
end
if redis.call('ZSCORE', KEYS[1], ARGV[3]) then return {'GONE'} end
for i = 4, #ARGV do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) then return {'CONTINUES'} end
end
if #redis.call('ZRANGEBYLEX', KEYS[1], '[' .. ARGV[3] .. '/', '(' .. ARGV[3] .. '0', 'LIMIT', 0, 1) > 0 then return {'CONTINUES'} end
if length == 0 then redis.call('SET', KEYS[2], '') else
  redis.call('RENAME', KEYS[3], KEYS[2])
  redis.call('PERSIST', KEYS[2])
end
redis.call('ZADD', KEYS[1], 0, ARGV[3])
return {'CREATED'}
`,
);

/** KEYS: parts. ARGV: length before, bytes, milliseconds until they are given up. */
export const APPEND = script(
  "append",
  `
local length = redis.call('STRLEN', KEYS[1])
if length ~= tonumber(ARGV[1]) then return {'LOST'} end
redis.call('APPEND', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'DONE'}
`,
);

/**
 * KEYS: object. ARGV: first and last of the bytes wanted. Its length, and these bytes of it: commands one by one would take what is created or removed between
 * them for an object that is empty or damaged.
 */
export const READ = script(
  "read",
  `
if redis.call('EXISTS', KEYS[1]) == 0 then return {'NONE'} end
return {'THERE', tostring(redis.call('STRLEN', KEYS[1])), redis.call('GETRANGE', KEYS[1], ARGV[1], ARGV[2])}
`,
);

/** KEYS: index, object. ARGV: name. */
export const REMOVE = script(
  "remove",
  `
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('UNLINK', KEYS[2])
return {'DONE'}
`,
);
