import { expect, test } from 'vitest'
import { type Owner, type Surroundings, describeOwner, judge, parseOwner } from '../../src/core/owner.js'
import { realProcesses } from '../../src/host/process.js'
import { SOME_OWNER } from '../support/some-owner.js'

const owner = SOME_OWNER
const here = (startTime: string | null | undefined): Surroundings => ({
  bootId: 'boot',
  pidNamespace: 'pid:[1]',
  startTimeOf: () => startTime,
})

test('a process that runs since the recorded time is alive', () => {
  expect(judge(owner, here('500'))).toBe('alive')
})

test('a process that is not there, or started at another time under a reused pid, is dead', () => {
  expect(judge(owner, here(null))).toBe('dead')
  expect(judge(owner, here('501'))).toBe('dead')
})

test.each<[string, Partial<Owner>]>([
  ['another boot, or another machine', { bootId: 'other' }],
  ['no boot id', { bootId: null }],
  ['another PID namespace: a container with the same host name', { pidNamespace: 'pid:[2]' }],
  ['no PID namespace', { pidNamespace: null }],
])('an owner is unknown, never dead: %s', (_name, change) => {
  expect(judge({ ...owner, ...change }, here(null))).toBe('unknown')
})

test('an owner is unknown where /proc is hidden', () => {
  expect(judge(owner, here(undefined))).toBe('unknown')
})

test('nobody is proven dead where boot and namespace are unknown on both sides', () => {
  const nowhere = { bootId: null, pidNamespace: null, startTimeOf: () => null }
  expect(judge({ ...owner, bootId: null, pidNamespace: null }, nowhere)).toBe('unknown')
})

test.skipIf(process.platform !== 'linux')(
  'this process is alive to itself, and its record reads back',
  () => {
    const processes = realProcesses()
    const record = processes.asOwner(7)
    expect(judge(record, processes)).toBe('alive')
    expect(judge({ ...record, startTime: '1' }, processes)).toBe('dead')
    expect(parseOwner(JSON.parse(JSON.stringify(record)))).toEqual(record)
  },
)

test.each([
  [null],
  ['text'],
  [[]],
  [{}],
  [{ ...owner, pid: 1.5 }],
  [{ ...owner, host: 3 }],
  [{ ...owner, since: '1' }],
  [{ ...owner, pid: 0 }],
  [{ ...owner, since: 8.64e15 + 1 }],
  [{ ...owner, command: null }],
])('a record that is malformed is no owner: %j', (record) => {
  expect(parseOwner(record)).toBeNull()
})

test.each<Partial<Owner>>([{ pid: 1 }, { since: 8.64e15 }, { since: -8.64e15 }])(
  'an owner at the edge of what there is reads back: %j',
  (change) => expect(parseOwner({ ...owner, ...change })).toEqual({ ...owner, ...change }),
)

test('what is no text tells nothing of the process, and nothing is added to what is known', () => {
  expect(parseOwner({ ...owner, startTime: 7, bootId: {}, pidNamespace: [], more: 1 })).toEqual({
    ...owner,
    startTime: null,
    bootId: null,
    pidNamespace: null,
  })
})

test('of a long command, a message has the beginning', () => {
  const describe = (command: string): string => describeOwner({ ...owner, command })
  const [longest, longer] = [`a${'b'.repeat(199)}`, `a${'b'.repeat(200)}`]
  expect(describe(longest)).toBe(`pid 41 on node7 (${longest})`)
  expect(describe(longer)).toBe(`pid 41 on node7 (a${'b'.repeat(198)}…)`)
})

test('a message names pid, host and command, or says that it does not know', () => {
  expect(describeOwner(owner)).toBe('pid 41 on node7 (python serve.py)')
  expect(describeOwner(null)).toBe('an unknown process')
})
