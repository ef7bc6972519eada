/** The parsers: what reads that which anybody may have written or typed. Each with the tests that must notice a mistake in it. */

export interface Target {
  file: string
  /** In this order: the quickest to notice first. */
  tests: string[]
}

export const TARGETS: Target[] = [
  { file: 'core/key', tests: ['core/key', 'properties/keys'] },
  { file: 'core/owner', tests: ['core/owner', 'properties/records'] },
  { file: 'core/waiter', tests: ['core/waiter', 'properties/records'] },
  { file: 'core/counts', tests: ['core/counts', 'properties/records'] },
  { file: 'core/event-record', tests: ['core/event-record', 'properties/records'] },
  { file: 'core/printable', tests: ['cli/words', 'properties/records'] },
  { file: 'store/manifest', tests: ['store/manifest', 'properties/manifests'] },
  { file: 'store/attempts', tests: ['store/attempts'] },
  { file: 'host/lines', tests: ['host/lines', 'properties/records'] },
  { file: 'cli/quantities', tests: ['cli/quantities', 'properties/quantities'] },
  { file: 'cli/common-options', tests: ['cli/common-options', 'properties/quantities'] },
  { file: 'cli/words', tests: ['cli/words', 'properties/records'] },
  { file: 'launch/rewrite', tests: ['launch/rewrite', 'properties/paths'] },
  { file: 'launch/preset-file', tests: ['launch/preset-file', 'properties/presets'] },
]

/**
 * Mistakes that make no difference, and why. By file, and the line in which they are with `«original→replacement»` in
 * place of what was replaced.
 */
export const EQUIVALENT: Record<string, Record<string, string>> = {
  'core/key': {
    'if (budget.left «<→<=» 0) throw tooLong()':
      'with nothing left, any value makes it too long, and is refused in the end',
    'if (budget.left < «0→1») throw tooLong()': 'the same',
  },
  'host/lines': {
    'const PIECE_BYTES = «256→257» * 1024': 'how much is read at once is seen by nobody',
    'const PIECE_BYTES = 256 * «1024→1025»': 'the same',
    'const bytes: Buffer = «rest.length === 0→false» ? piece : Buffer.concat([rest, piece])':
      'a copy of what it would be',
  },
  'cli/quantities': {
    'const SIZE = /^\\s*(\\d«+→*»(?:\\.\\d+)?)\\s*([kmgtp]?)(?:i?b)?\\s*$/i':
      'bytes takes no number that begins with its point either',
    'const DURATION = /^\\s*\\d+(?:\\.\\d+)?\\s*[a-z]+\\s*«$→»/i': 'ms takes nothing after the unit either',
    'const DURATION = /^\\s*\\d+(?:\\.\\d«+→*»)?\\s*[a-z]+\\s*$/i':
      'ms takes no number that ends with its point either',
    'const size = «number === undefined→false» ? null : bytes.parse(`${number}${unit}b`)':
      'bytes finds no number in `undefined`',
  },
  'launch/rewrite': {
    'if (stats.size «>→>=» MAX_BYTES) return { bytes: null, stats }':
      'a file of exactly 64 MiB may be taken for an index or not',
  },
  'launch/preset-file': {
    'const PATH = /^(?!\\.{0,2}(\\/|$))[^/\\0]«+→*»(\\/(?!\\.{0,2}(\\/|$))[^/\\0]+)*$/':
      'an empty name is refused by what stands before it',
    'const PATH = /^(?!\\.{0,2}(\\/|$))[^/\\0]+(\\/(?!\\.{0,2}(\\/|$))[^/\\0]«+→*»)*$/': 'the same',
  },
}
