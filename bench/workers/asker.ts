/**
 * argv: a cache, or `private:DIRECTORY`. A worker that needs what a key stands for: for each wish it asks for the entry,
 * compiles where it has to, reads what it got, and says how long that took; until it is let go. A private one compiles
 * for itself, as with a directory per worker.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCache } from '../../src/index.js'
import { cpuSeconds } from '../raw.js'

export interface Asked {
  /** CLOCK_MONOTONIC, nanoseconds: the same in all processes. */
  readyAt: string
  waitedMs: number
  cpuSeconds: number
  outcome: string
}

export interface Wish {
  key: string
  /** How much this compile hashes: its time on one core. */
  mebibytes: number
}

const [root = ''] = process.argv.slice(2)
const cache = root.startsWith('private:') ? null : await openCache(root, { strict: true })
process.send!('ready')
process.on('message', (wish: Wish | 'end') => {
  if (wish === 'end') process.disconnect()
  else void ask(wish).then((asked) => process.send!(asked))
})

async function ask({ key, mebibytes }: Wish): Promise<Asked> {
  const [startedMs, cpuBefore] = [performance.now(), cpuSeconds()]
  const { path, outcome, release } = await obtain(key, (dir) => compile(dir, mebibytes))
  const [file = ''] = readdirSync(path)
  if (readFileSync(join(path, file), 'utf8').length !== 64) throw new Error(`${path} holds no compiled file`)
  const asked = {
    readyAt: String(process.hrtime.bigint()),
    waitedMs: performance.now() - startedMs,
    cpuSeconds: cpuSeconds() - cpuBefore,
    outcome,
  }
  await release()
  return asked
}

interface Obtained {
  path: string
  outcome: string
  release: () => Promise<void>
}

async function obtain(key: string, build: (dir: string) => void): Promise<Obtained> {
  if (cache !== null) {
    // A warning a second of waiting is for people, and no part of the work.
    const entry = await cache.getOrCompile(key, ({ dir }) => build(dir), { onWait: () => undefined })
    return { path: entry.path, outcome: entry.outcome, release: () => entry.release() }
  }
  const path = mkdtempSync(join(root.slice('private:'.length), 'worker-'))
  build(path)
  return { path, outcome: 'private', release: async () => undefined }
}

/** On one core, and in the way of everything else in this process, as a compiler is. */
function compile(dir: string, mebibytes: number): void {
  mkdirSync(dir, { recursive: true })
  const hash = createHash('sha256')
  const block = Buffer.alloc(1024 * 1024, 'layer')
  for (let done = 0; done < mebibytes; done++) hash.update(block)
  writeFileSync(join(dir, 'graph.bin'), hash.digest('hex'))
}
