/** An interactive command under `exec` and `once`, in a real terminal with job control: as if we were not there. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { openCache, withLock } from '../../src/index.js'
import { COMMAND } from '../support/command.js'
import { leftoversIn } from '../support/caches.js'
import { missing } from '../support/needs.js'
import { childrenOf, isAlive, isStopped } from '../support/proc.js'
import { useScratch } from '../support/scratch.js'
import { below } from '../support/tree.js'
import { type Terminal, useTerminals } from '../support/terminal.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const open = useTerminals()

/** Tells what it is connected to and every signal that it gets; answers lines; ends on `quit N` with N. */
const INTERACTIVE = `
import os, signal, sys
def tell(*words): os.write(int(sys.argv[1]), (' '.join(map(str, words)) + '\\r\\n').encode())
size = lambda: '%dx%d' % (os.get_terminal_size(2).lines, os.get_terminal_size(2).columns)
for name in ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGWINCH', 'SIGCONT']:
    signal.signal(getattr(signal, name), lambda number, _: tell('got', signal.Signals(number).name, size()))
tell('pid', os.getpid(), 'parent', os.getppid(), 'tty', *[int(os.isatty(fd)) for fd in (0, 1, 2)], size())
while not os.isatty(0): signal.pause()
for line in sys.stdin:
    if line.startswith('quit'): sys.exit(int(line.split()[1]))
    tell('answer', line.strip().upper())
`

let root: string
let script: string
let terminal: Terminal

beforeEach(() => {
  root = scratch('cache')
  script = join(scratch('script'), 'interactive.py')
  writeFileSync(script, INTERACTIVE)
  terminal = open({ CACHELATCH_DIR: root, NODE: process.execPath, MAIN: COMMAND, SCRIPT: script })
})

const COMMANDS = {
  exec: '"$NODE" "$MAIN" exec x -- python3 "$SCRIPT" 1',
  // Its stdout is ours.
  once: '"$NODE" "$MAIN" once --key x -- python3 "$SCRIPT" 2',
}

describe.skipIf(missing('python3')).each(Object.entries(COMMANDS))('%s', (name, line) => {
  async function begin(how = ''): Promise<{ pid: number; wrapper: number }> {
    terminal.type(`${line} ${how}`)
    const tty = how === '' ? '1 1 1' : '0 1 1'
    const [, pid, wrapper] = await terminal.shows(new RegExp(`pid (\\d+) parent (\\d+) tty ${tty} 24x400`))
    return { pid: Number(pid), wrapper: Number(wrapper) }
  }

  async function quit(code: number, expected: number): Promise<void> {
    terminal.type(`quit ${code}`)
    terminal.type('echo "exit code $?"')
    expect((await terminal.shows(/exit code (\d+)/))[1]).toBe(String(expected))
  }

  const howOften = (text: string): number => terminal.screen.split(text).length - 1

  test('all three are the terminal; what is typed is answered; its size passes, also when it changes', async () => {
    await begin()
    terminal.type('hello')
    await terminal.shows(/answer HELLO/)
    terminal.resize(45, 123)
    await terminal.shows(/got SIGWINCH 45x123/)
    await quit(5, 5)
  })

  test('Ctrl-C and Ctrl-\\ reach the command once, which may go on; its exit code is ours', async () => {
    await begin()
    terminal.press('Ctrl-C')
    await terminal.shows(/got SIGINT/)
    terminal.press('Ctrl-\\')
    await terminal.shows(/got SIGQUIT/)
    terminal.type('still here')
    await terminal.shows(/answer STILL HERE/)
    expect([howOften('got SIGINT'), howOften('got SIGQUIT')]).toEqual([1, 1])
    await quit(7, 7)
  })

  test('Ctrl-Z stops both, fg continues both', async () => {
    const { pid, wrapper } = await begin()
    terminal.press('Ctrl-Z')
    await terminal.shows(/Stopped/)
    await until('both are stopped', () => isStopped(pid) && isStopped(wrapper))
    terminal.type('fg')
    await terminal.shows(/got SIGCONT/)
    terminal.type('back again')
    await terminal.shows(/answer BACK AGAIN/)
    await quit(3, 3)
  })

  test('a signal sent to us alone reaches it once; in the background also the one that Ctrl-C sends', async () => {
    const { pid, wrapper } = await begin('</dev/null &')
    const signals = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const
    for (const signal of signals) {
      process.kill(wrapper, signal)
      await terminal.shows(new RegExp(`got ${signal}`))
    }
    terminal.press('Ctrl-C')
    // The shell drops what is typed before it has its new prompt.
    await terminal.shows(/\^C[^]*[#$] /)
    terminal.type('echo "it is $((6 * 7))"')
    await terminal.shows(/it is 42/)
    expect(signals.map((signal) => howOften(`got ${signal}`))).toEqual([1, 1, 1, 1])
    process.kill(wrapper, 'SIGUSR1')
    await until('both are gone', () => !isAlive(pid) && !isAlive(wrapper))
  })

  test('a command that does not listen to Ctrl-C keeps us waiting for it', async () => {
    const { wrapper } = await begin()
    for (let count = 1; count <= 3; count++) {
      terminal.press('Ctrl-C')
      await terminal.shows(/got SIGINT/)
    }
    expect(childrenOf(wrapper).map((child) => child.name)).toContain('python3')
    await quit(3, 3)
  })

  test.skipIf(name === 'exec')('what was asked to end is not published, though it ended well', async () => {
    await begin()
    terminal.press('Ctrl-C')
    await terminal.shows(/got SIGINT/)
    await quit(0, 130)
    expect(await (await openCache(root)).get('x')).toBeNull()
    expect(leftoversIn(root)).toEqual([])
  })
})

describe.skipIf(missing('python3'))('a wait in a terminal', () => {
  const WAIT = '"$NODE" "$MAIN" exec x -- true; echo "exit code $?"'

  async function whileHeld(work: () => Promise<void>): Promise<void> {
    await withLock(join(root, 'x'), async () => {
      // For the record of who holds the lock.
      await until('the owner is on record', () => below(root).some((name) => name.endsWith('.owner.json')))
      await work()
    })
  }

  test('is one line, redrawn, that goes when the wait is over', async () => {
    let seen = ''
    await whileHeld(async () => {
      terminal.type(WAIT)
      await terminal.shows(/waiting for pid (\d+) on .+ [12] s of at most 3600 s \(--wait\)/)
      await terminal.shows(/waiting for .+ 3 s of at most 3600 s/)
      seen = terminal.screen
    })
    expect((await terminal.shows(/exit code (\d+)/))[1]).toBe('0')
    // ECMA-48: CSI 2 K erases the line, while it is redrawn and in the end.
    for (const part of [seen, terminal.screen.slice(seen.length)]) expect(part).toContain('\x1b[2K')
  })

  test('ends at once with Ctrl-C, and leaves nothing', async () => {
    await whileHeld(async () => {
      terminal.type(WAIT)
      await terminal.shows(/waiting for pid/)
      terminal.press('Ctrl-C')
      expect((await terminal.shows(/exit code (\d+)/))[1]).toBe('130')
    })
  })
})
