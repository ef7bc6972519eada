/** Randomness that can be had again: the seed is printed, and taken from the environment where it is set there. */
export function seededRandom(variable: string): { random: () => number; seed: number } {
  const seed = Number(process.env[variable] ?? Math.floor(Math.random() * 2 ** 32))
  process.stderr.write(`${variable}=${seed}\n`)
  return { random: mulberry32(seed), seed }
}

/** In [0, 1). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
