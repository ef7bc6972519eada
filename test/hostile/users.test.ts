/** Several users, real ones, with the umasks that there are, in one directory. */
import { spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { COMMAND } from '../support/command.js'
import { doctorAs, hiddenSettings, levelOf } from '../support/doctor.js'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()

const [JANE, JOHN] = [61_001, 61_002]
const GROUP = 61_000

interface Person {
  uid: number
  umask: string
}

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** A directory below which everybody may look, and write as `mode` says. */
function shared(mode: number): string {
  const root = join(scratch(), 'cache')
  mkdirSync(root)
  chmodSync(join(root, '../..'), 0o755)
  chmodSync(join(root, '..'), 0o755)
  chownSync(root, 0, GROUP)
  chmodSync(root, mode)
  return root
}

function runAs({ uid, umask }: Person, root: string, ...args: string[]): Promise<Ended> {
  const line = `umask ${umask}; exec "$0" "$@"`
  const child = spawn('sh', ['-c', line, process.execPath, COMMAND, ...args], {
    uid,
    gid: GROUP,
    env: { ...process.env, ...hiddenSettings(), CACHELATCH_DIR: root, HOME: '/nowhere' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said: Ended = { code: null, stdout: '', stderr: '' }
  child.stdout.on('data', (text: Buffer) => (said.stdout += String(text)))
  child.stderr.on('data', (text: Buffer) => (said.stderr += String(text)))
  return new Promise((resolve) => child.once('close', (code) => resolve({ ...said, code })))
}

/** Where the result is, and what is in it. */
async function compile(
  who: Person,
  root: string,
  key: string,
): Promise<{ path: string; content: string; stderr: string }> {
  const script = `echo by ${who.uid} >"$CACHELATCH_STAGE/f"`
  const { code, stdout, stderr } = await runAs(who, root, 'once', '--key', key, '--', 'sh', '-c', script)
  expect(code, stderr).toBe(0)
  expect(stderr).not.toMatch(/\n\s+at /)
  const path = stdout.trim()
  return { path, content: readFileSync(join(path, 'f'), 'utf8').trim(), stderr }
}

const isPrivate = (root: string, path: string): boolean => !path.startsWith(`${root}/`)

describe.skipIf(missing('root'))('Jane and John', () => {
  test.each(['000', '002'])('share all that both compile, with umask %s', async (umask) => {
    const root = shared(umask === '000' ? 0o777 : 0o2777)
    const [jane, john] = [JANE, JOHN].map((uid) => ({ uid, umask }))
    const first = await compile(jane!, root, 'a')
    expect(await compile(john!, root, 'a')).toMatchObject({ path: first.path, content: `by ${JANE}` })
    const second = await compile(john!, root, 'b')
    expect(isPrivate(root, second.path)).toBe(false)
    expect(await compile(jane!, root, 'b')).toMatchObject({ path: second.path, content: `by ${JOHN}` })
    const cleared = await runAs(john!, root, 'clear')
    expect(cleared, cleared.stderr).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/Freed .* in 2 entries/),
    })
  })

  test('with umask 022, John has what Jane has compiled, and what he compiles himself is his alone, and said so', async () => {
    const root = shared(0o777)
    const [jane, john] = [JANE, JOHN].map((uid) => ({ uid, umask: '022' }))
    const first = await compile(jane!, root, 'a')
    expect(await compile(john!, root, 'a')).toMatchObject({ path: first.path, content: `by ${JANE}` })
    const own = await compile(john!, root, 'b')
    expect(isPrivate(root, own.path)).toBe(true)
    expect(own.content).toBe(`by ${JOHN}`)
    expect(own.stderr).toContain('EACCES')
    rmSync(own.path, { recursive: true })
    const cleared = await runAs(john!, root, 'clear')
    expect(cleared.code).toBe(69)
    expect(cleared.stderr).toMatch(/\[NO_PERMISSION\]\n {2}hint: \w/)
    expect(readdirSync(first.path)).toEqual(['f'])
  })

  test('with umask 077, John cannot look into what Jane has made: he works on his own, and is told why', async () => {
    const root = shared(0o777)
    await compile({ uid: JANE, umask: '077' }, root, 'a')
    const own = await compile({ uid: JOHN, umask: '077' }, root, 'a')
    expect(isPrivate(root, own.path)).toBe(true)
    expect(own.content).toBe(`by ${JOHN}`)
    expect(own.stderr).toContain('EACCES')
    expect(statSync(own.path).mode & 0o077).toBe(0)
    rmSync(own.path, { recursive: true })
    for (const name of ['ls', 'status', 'gc']) {
      const { code, stderr } = await runAs({ uid: JOHN, umask: '077' }, root, name)
      expect({ name, code }).toEqual({ name, code: 69 })
      expect(stderr).toMatch(/\[NO_PERMISSION\]\n {2}hint: \w/)
    }
  })

  test('doctor warns of a directory in which anybody may replace what others compile, and not of a sticky one', async () => {
    const open = shared(0o777)
    expect(levelOf((await doctorAs(open, { uid: JANE })).report, 'world-writable')).toEqual(['warning'])
    const sticky = shared(0o1777)
    expect(levelOf((await doctorAs(sticky, { uid: JANE })).report, 'world-writable')).toEqual([])
  })

  test('doctor, of whom only the stages are to be written to, makes no probing directory where a link leads', async () => {
    const root = shared(0o755)
    await compile({ uid: 0, umask: '022' }, root, 'a')
    const outside = join(root, '../outside')
    mkdirSync(outside)
    chmodSync(outside, 0o777)
    utimesSync(outside, 1_600_000_000, 1_600_000_000)
    rmSync(join(root, 'v1/stage'), { recursive: true })
    symlinkSync(outside, join(root, 'v1/stage'))
    const { report } = await doctorAs(root, { uid: JANE })
    expect(levelOf(report, 'unsafe-path')).toEqual(['problem'])
    expect(levelOf(report, 'writable')).toEqual(['warning'])
    expect(statSync(outside).mtimeMs).toBe(1_600_000_000_000)
  })
})
