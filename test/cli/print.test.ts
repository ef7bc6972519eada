/** What is printed arrives, whatever stdout is. */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const RENDER = join(import.meta.dirname, '../../src/cli/render.js')
const TEXT_BYTES = 1_000_000

function printing(times: number): string[] {
  const script = `import { print } from ${JSON.stringify(RENDER)}
for (let time = 0; time < ${times}; time++) await print(String(time).repeat(${TEXT_BYTES}))`
  return ['--input-type=module', '-e', script]
}

test('through a pipe that is full and does not block, in order', async () => {
  const path = join(scratch(), 'pipe')
  expect(spawnSync('mkfifo', [path]).status).toBe(0)
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  // By way of fd 3: libuv would make fd 1 of a child block.
  const child = spawn('sh', ['-c', 'exec "$@" >&3', 'sh', process.execPath, ...printing(2)], {
    stdio: ['ignore', 'ignore', 'inherit', fd],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  let text = ''
  const chunk = Buffer.alloc(TEXT_BYTES)
  await until('all of it is read', () => {
    try {
      text += chunk.toString('latin1', 0, readSync(fd, chunk))
    } catch (error) {
      expect(error).toMatchObject({ code: 'EAGAIN' })
    }
    return text.length === 2 * TEXT_BYTES
  })
  closeSync(fd)
  expect(await ended).toBe(0)
  expect(text === '0'.repeat(TEXT_BYTES) + '1'.repeat(TEXT_BYTES)).toBe(true)
})

test('to a reader that goes away: the printing ends, and that is no error', async () => {
  const child = spawn(process.execPath, printing(1), { stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (text: Buffer) => (stderr += String(text)))
  child.stdout.once('data', () => child.stdout.destroy())
  const code = await new Promise((resolve) => child.once('close', resolve))
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})
