/** The parsers: what reads that which anybody may have written or typed. Each with the tests that must notice a mistake in it. */

export interface Target {
  file: string
  tests: string[]
}

const KEYS = ['properties/keys', 'core/key']
const RECORDS = ['properties/records', 'core/owner', 'core/event-record']

export const TARGETS: Target[] = [
  { file: 'core/key', tests: KEYS },
  { file: 'core/owner', tests: RECORDS },
  { file: 'core/waiter', tests: RECORDS },
  { file: 'core/counts', tests: RECORDS },
  { file: 'core/event-record', tests: RECORDS },
  { file: 'core/printable', tests: RECORDS },
  { file: 'store/manifest', tests: ['properties/manifests', 'store/manifest'] },
  { file: 'store/attempts', tests: ['hostile/forged'] },
  { file: 'host/lines', tests: ['properties/records', 'core/event-record'] },
  { file: 'cli/quantities', tests: ['properties/quantities', 'cli/quantities'] },
  { file: 'cli/common-options', tests: ['properties/quantities', 'cli/quantities'] },
  { file: 'cli/words', tests: ['properties/records'] },
  { file: 'launch/rewrite', tests: ['properties/paths', 'launch/rewrite'] },
  { file: 'launch/preset-file', tests: ['properties/presets', 'launch/preset-file'] },
]

/**
 * Mistakes that make no difference, and why. By file, and the line in which they are with `«original→replacement»` in
 * place of what was replaced.
 */
export const EQUIVALENT: Record<string, Record<string, string>> = {}
