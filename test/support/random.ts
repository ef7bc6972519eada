/** Randomness that can be had again: the seed is printed, and taken from the environment where it is set there. */
export function seededRandom(variable: string): { random: () => number; seed: number } {
  const seed = Number(process.env[variable] ?? Math.floor(Math.random() * 2 ** 32))
  process.stderr.write(`${variable}=${seed}\n`)
  let state = seed >>> 0
  /** mulberry32: in [0, 1). */
  const random = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { random, seed }
}
