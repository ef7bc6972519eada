/** Who writes in a slot, against what the test knows to be open. */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { realHost } from '../../src/host/host.js'
import { openForWriting } from '../../src/launch/writers.js'
import { Layout } from '../../src/store/layout.js'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const children = new Set<ReturnType<typeof spawn>>()
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
})

function makeSlots(): { layout: Layout; slot: string; other: string } {
  const layout = new Layout(scratch())
  const [slot, other] = [layout.slot('family-1', '000'), layout.slot('family-1', '001')]
  for (const each of [slot, other]) {
    mkdirSync(join(each, 'deep'), { recursive: true })
    for (const file of ['deep/written', 'read']) writeFileSync(join(each, file), '')
  }
  return { layout, slot, other }
}

/** Resolves when the shell has said that it is ready. */
async function run(program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.add(child)
  await new Promise((resolve) => child.stdout.once('data', resolve))
}

test.skipIf(missing('linux'))(
  'what is open for writing, here or in another process; not what is read, nor elsewhere',
  async () => {
    const { layout, slot, other } = makeSlots()
    const fds = [openSync(join(slot, 'read'), 'r'), openSync(join(other, 'read'), 'a')]
    expect(await openForWriting({ host: realHost(), layout }, slot)).toEqual(new Set())
    await run('sh', ['-c', 'exec 3>>"$0"; echo; exec sleep 600', join(slot, 'deep/written')])
    expect(await openForWriting({ host: realHost(), layout }, slot)).toEqual(new Set(['deep/written']))
    fds.push(openSync(join(slot, 'read'), 'r+'))
    expect(await openForWriting({ host: realHost(), layout }, slot)).toEqual(
      new Set(['deep/written', 'read']),
    )
    fds.forEach((fd) => closeSync(fd))
  },
)

test.skipIf(missing('linux', 'root', 'PID namespaces (unshare)'))(
  'also by a process that sees the cache under another name, as in a container',
  async () => {
    const { layout, slot } = makeSlots()
    const elsewhere = scratch('elsewhere')
    const inside = slot.replace(layout.root, elsewhere)
    const script = 'mount --bind "$0" "$1" && exec 3>>"$2/deep/written"; echo; exec sleep 600'
    await run('unshare', ['-m', 'sh', '-c', script, layout.root, elsewhere, inside])
    expect(await openForWriting({ host: realHost(), layout }, slot)).toEqual(new Set(['deep/written']))
  },
)
