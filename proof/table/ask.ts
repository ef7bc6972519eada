/**
 * Asks once for the compiled model, in the way that is named, and says on stdout what happens: `asking`, `waiting`,
 * `building`, `at STEP`, then `got whole`, `got torn` or `failed CODE`.
 */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Compile, look, pieces } from './artefact.js'
import type { Way } from './ways/way.js'

const [, , name, place] = process.argv as [string, string, string, string]
const { STAND_AT, GO, NAME, BYTES_EACH } = process.env as Record<string, string>
const POLL_MS = 10

const told = new Set<string>()
function tell(...words: string[]): void {
  const line = words.join(' ')
  // Who polls waits once.
  if (line === 'waiting' && told.has(line)) return
  told.add(line)
  process.stdout.write(`${line}\n`)
}

const compile: Compile = () => {
  tell('building')
  return pieces(NAME!, Number(BYTES_EACH), async (step) => {
    if (step !== STAND_AT) return
    tell('at', step)
    // The event loop turns meanwhile: hearts go on beating.
    while (!existsSync(GO!)) await sleep(POLL_MS)
  })
}

const { way } = (await import(`./ways/${name}.js`)) as { way: Way }
tell('asking')
try {
  tell('got', look(await way.obtain(place, compile, tell)).sight)
} catch (error) {
  tell('failed', (error as NodeJS.ErrnoException).code ?? (error as Error).name)
}
process.exit()
