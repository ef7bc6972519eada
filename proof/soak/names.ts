/** What there is to work on: few of each, so that workers meet. */
const COUNTS = { key: 24, damaged: 4, file: 6, directory: 4, counter: 4, unit: 40 }

export type Kind = keyof typeof COUNTS

/** Of entries that workers damage on purpose. */
export const DAMAGED_KEYS = /"key":"\\"damaged-\d+\\""/

/** @param random in [0, 1) */
export function someName(kind: Kind, random: () => number): string {
  return `${kind}-${Math.floor(random() * COUNTS[kind])}`
}
