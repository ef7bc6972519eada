/** Damage as a person meets it: verify finds it, sets it aside, and of many that ask at once one compiles anew. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { VerifyReport } from '../../src/index.js'
import { entryPath } from '../support/caches.js'
import { COMMAND, runCommand } from '../support/command.js'
import { useScratch } from '../support/scratch.js'
import { until } from '../support/until.js'

const scratch = useScratch()
const READERS = 16

const BUILD = 'echo ran >>"$0"; seq 20000 >"$CACHELATCH_STAGE/kernel"; echo x >"$CACHELATCH_STAGE/note"'
const LOG = 'builds'

function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at]! ^= 1
  writeFileSync(path, bytes)
}

const DAMAGES: Record<string, (entry: string) => void> = {
  'a bit flipped': (entry) => flip(join(entry, 'files/kernel'), 50_000),
  'other bytes of the same size': (entry) => {
    const path = join(entry, 'files/kernel')
    const other = Buffer.alloc(readFileSync(path).length, '0')
    unlinkSync(path)
    writeFileSync(path, other)
  },
  truncated: (entry) => truncateSync(join(entry, 'files/kernel'), 4_096),
  'a missing file': (entry) => unlinkSync(join(entry, 'files/note')),
  'an extra file': (entry) => writeFileSync(join(entry, 'files/extra'), ''),
  'a wrong mode': (entry) => chmodSync(join(entry, 'files/kernel'), 0o600),
  'a symbolic link to the very bytes': (entry) => {
    const path = join(entry, 'files/kernel')
    const elsewhere = join(entry, '../../../elsewhere')
    copyFileSync(path, elsewhere)
    unlinkSync(path)
    symlinkSync(elsewhere, path)
  },
  'a directory in place of a file': (entry) => {
    unlinkSync(join(entry, 'files/note'))
    mkdirSync(join(entry, 'files/note'))
  },
  'a damaged manifest': (entry) => flip(join(entry, 'MANIFEST.json'), 300),
  'an appended manifest': (entry) => appendFileSync(join(entry, 'MANIFEST.json'), '\n'),
  'a missing manifest': (entry) => unlinkSync(join(entry, 'MANIFEST.json')),
}

async function verify(
  root: string,
  ...args: string[]
): Promise<{ code: number | null; report: VerifyReport }> {
  const { code, stdout } = await runCommand(root, 'verify', '--json', ...args)
  return { code, report: JSON.parse(stdout) as VerifyReport }
}

/** So many shells that ask when all of them are there; returns what each printed. */
async function askAtOnce(root: string): Promise<string[]> {
  const script = `echo ready; read -r go; exec "$1" "$2" once --key bad -- sh -c '${BUILD}' "$0"`
  const shells = Array.from({ length: READERS }, () =>
    spawn('sh', ['-c', script, join(root, LOG), process.execPath, COMMAND], {
      env: { ...process.env, CACHELATCH_DIR: root },
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  )
  const said = shells.map(() => '')
  for (const [index, { stdout }] of shells.entries())
    stdout.on('data', (data: Buffer) => (said[index] += String(data)))
  await until('all are there', () => said.every((text) => text === 'ready\n'))
  const ended = Promise.all(shells.map((shell) => once(shell, 'close')))
  for (const { stdin } of shells) stdin.end('go\n')
  expect((await ended).map(([code]) => code as number)).toEqual(shells.map(() => 0))
  return said.map((text) => text.slice('ready\n'.length))
}

const buildsIn = (root: string): number => readFileSync(join(root, LOG), 'utf8').split('\n').length - 1

test('every damage is found, each in the one entry that has it, and none on a healthy cache', async () => {
  const root = scratch()
  const once = (key: string) =>
    runCommand(root, 'once', '--key', key, '--', 'sh', '-c', BUILD, join(root, LOG))
  for (const key of ['healthy', ...Object.keys(DAMAGES)]) expect((await once(key)).code).toBe(0)
  expect(await verify(root)).toMatchObject({ code: 0, report: { damaged: [], strangers: [] } })

  for (const [key, damage] of Object.entries(DAMAGES)) damage(entryPath(root, key))
  const { code, report } = await verify(root)
  expect(code).toBe(1)
  const damaged = Object.keys(DAMAGES).map((key) => entryPath(root, key))
  expect(report.damaged.map(({ path }) => path).sort()).toEqual(damaged.sort())
  expect((await verify(root, 'healthy')).code).toBe(0)
  expect((await verify(root, '--quarantine')).report.damaged.every((entry) => entry.quarantined)).toBe(true)
  expect((await verify(root, 'healthy')).report).toMatchObject({ checked: 1, damaged: [] })
})

test('set aside, it is compiled anew, once, with sixteen that ask at the same time', async () => {
  const root = scratch()
  const [path] = await askAtOnce(root)
  expect(buildsIn(root)).toBe(1)
  const entry = join(path!.trim(), '..')
  for (const name of ['a bit flipped', 'an extra file', 'a wrong mode']) DAMAGES[name]!(entry)
  expect((await verify(root, '--quarantine')).report.damaged).toMatchObject([
    { key: '"bad"', quarantined: true, problems: { length: 3 } },
  ])
  expect(await askAtOnce(root)).toEqual(Array.from({ length: READERS }, () => path))
  expect(buildsIn(root)).toBe(2)
  expect(await verify(root)).toMatchObject({ code: 0, report: { checked: 1 } })
})

test('damage that a look at sizes sees needs no verify: of sixteen that meet it at once, one compiles anew', async () => {
  const root = scratch()
  const [path] = await askAtOnce(root)
  DAMAGES['truncated']!(join(path!.trim(), '..'))
  expect(await askAtOnce(root)).toEqual(Array.from({ length: READERS }, () => path))
  expect(buildsIn(root)).toBe(2)
  expect(await verify(root)).toMatchObject({ code: 0, report: { checked: 1 } })
})
