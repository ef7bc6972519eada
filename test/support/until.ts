/** Waits for something that must come. The limit only ends a test that has failed already. */
import { setTimeout as sleep } from 'node:timers/promises'

const LIMIT_MS = 60_000

export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
): Promise<Exclude<T, false | null | undefined>> {
  const end = performance.now() + LIMIT_MS
  while (performance.now() < end) {
    const seen = await look()
    if (seen !== false && seen !== null && seen !== undefined)
      return seen as Exclude<T, false | null | undefined>
    await sleep(5)
  }
  throw new Error(`Did not happen within ${LIMIT_MS} ms: ${what}`)
}
