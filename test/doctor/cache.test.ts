/** What is wrong with a cache, or with the environment, is found; and people can read it. */
import { chmodSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openCache } from '../../src/index.js'
import { runCommand } from '../support/command.js'
import { doctor, doctorAs, levelOf, hiddenSettings } from '../support/doctor.js'
import { useScratch } from '../support/scratch.js'
import { below } from '../support/tree.js'
import { until } from '../support/until.js'

const scratch = useScratch()

describe('a cache that is not what it should be:', () => {
  test('its format.json is damaged, or of a locker that excludes nobody', async () => {
    const root = scratch()
    await openCache(root, { strict: true, locker: 'memory' })
    expect(levelOf((await doctor(root)).report, 'locker')).toEqual(['problem'])
    writeFileSync(join(root, 'v1/format.json'), '{"schema":')
    const { code, report } = await doctor(root)
    expect(levelOf(report, 'format')).toEqual(['problem'])
    expect(report.exists).toBe(true)
    expect(code).toBe(1)
  })

  test('it waits for the network without need', async () => {
    const root = scratch()
    await openCache(root, { strict: true, locker: 'lockfile' })
    const { code, report } = await doctor(root)
    expect(levelOf(report, 'locker')).toEqual(['note'])
    expect(levelOf(report, 'gate')).toEqual(['ok'])
    const elsewhere = await doctorAs(root, { env: { CACHELATCH_GATE_DIR: join(root, 'missing') } })
    expect(levelOf(elsewhere.report, 'gate')).toEqual(['warning'])
    expect([code, elsewhere.code]).toEqual([0, 0])
  })

  test('a link stands where a directory belongs', async () => {
    const root = scratch()
    await openCache(root, { strict: true })
    rmSync(join(root, 'v1/trash'), { recursive: true })
    symlinkSync(scratch(), join(root, 'v1/trash'))
    expect(levelOf((await doctor(root)).report, 'unsafe-path')).toEqual(['problem'])
  })

  test('leftovers are counted, and stay: a stage of a living writer is none', async () => {
    const root = scratch()
    const cache = await openCache(root, { strict: true })
    const anHourAgo = Date.now() / 1000 - 3600
    const plant = (path: string): void => {
      mkdirSync(join(root, path))
      utimesSync(join(root, path), anHourAgo, anHourAgo)
    }
    await cache.getOrCompile('k', async ({ dir }) => {
      writeFileSync(join(dir, 'f'), 'x')
      utimesSync(join(dir, '..'), anHourAgo, anHourAgo)
      plant(`v1/stage/${'a'.repeat(32)}`)
      plant(`v1/trash/${'b'.repeat(32)}.doomed`)
      plant(`.probe-${'c'.repeat(32)}`)
      const names = (): string[] => below(join(root, 'v1/locks'))
      await until('its owner is recorded', () => names().some((name) => name.endsWith('.owner.json')))
      const before = below(root)
      const { report } = await doctor(root)
      const leftovers = report.findings.find(({ id }) => id === 'leftovers')
      expect(leftovers).toMatchObject({
        level: 'note',
        detail: expect.stringMatching(/^1 stages, 1 in the trash, 1 drafts/) as string,
      })
      expect(below(root)).toEqual(before)
    })
  })

  test('a damaged entry is a problem', async () => {
    const root = scratch()
    const cache = await openCache(root, { strict: true })
    const entry = await cache.getOrCompile('k', ({ dir }) => writeFileSync(join(dir, 'f'), 'x'))
    writeFileSync(join(entry.path, '../MANIFEST.json'), '{')
    const { code, report } = await doctor(root)
    expect(levelOf(report, 'damaged')).toEqual(['problem'])
    expect(code).toBe(1)
    await entry.release()
  })
})

describe('settings:', () => {
  test('each with its origin, and what is mistyped or was never set', async () => {
    const root = scratch()
    const env = {
      CACHELATCH_GATEDIR: '/tmp',
      CACHELATCH_GATE_DIR: 'undefined',
      CACHELATCH_WHATEVER_THIS_IS: 'NaN',
      CACHELATCH_EVENTS: join(root, 'missing/events'),
      XDG_CACHE_HOME: '~/.cache',
    }
    const { code, report } = await doctorAs(root, { env })
    expect(report.settings).toContainEqual({ name: 'CACHELATCH_DIR', value: root, origin: 'environment' })
    expect(report.settings).toContainEqual({
      name: 'XDG_CACHE_HOME',
      value: '~/.cache',
      origin: 'environment',
    })
    const found = report.findings.filter(({ section }) => section === 'settings')
    expect(found).toMatchObject([
      { id: 'events-file', title: 'CACHELATCH_EVENTS', level: 'warning' },
      { id: 'doubtful-setting', title: 'CACHELATCH_GATE_DIR', level: 'warning' },
      { id: 'doubtful-setting', title: 'XDG_CACHE_HOME', level: 'warning' },
      { id: 'unknown-setting', title: 'CACHELATCH_GATEDIR', advice: 'Did you mean CACHELATCH_GATE_DIR?' },
      { id: 'unknown-setting', title: 'CACHELATCH_WHATEVER_THIS_IS' },
    ])
    expect(code).toBe(0)
  })

  test('a flag wins, and the variable that lost is named', async () => {
    const root = scratch()
    const { report } = await doctorAs('/nowhere', { args: ['--cache', root] })
    expect(report.settings[0]).toEqual({ name: '--cache', value: root, origin: 'flag' })
    expect(levelOf(report, 'overridden-setting')).toEqual(['note'])
  })
})

test('people get a line a finding, advice below what is wrong, and a verdict at the end', async () => {
  const root = scratch()
  chmodSync(root, 0o777)
  const { code, stdout, stderr } = await runCommand({ cache: root, env: hiddenSettings() }, 'doctor')
  expect(stderr).toBe('')
  expect(stdout).toMatch(/^ {2}✓ renaming a directory: works$/m)
  expect(stdout).toMatch(/^ {2}! permissions: .+\n {6}chmod o-w/m)
  expect(stdout).toMatch(
    /\n\n1 warning; a cache here would use the kernel lock, and it excludes between processes\.\n$/,
  )
  expect(code).toBe(0)
})
