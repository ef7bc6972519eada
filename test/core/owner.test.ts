import { expect, test } from 'vitest'
import { type Owner, type Surroundings, describeOwner, judge, parseOwner } from '../../src/core/owner.js'
import { realProcesses } from '../../src/host/process.js'

const owner: Owner = {
  pid: 41,
  startTime: '500',
  bootId: 'boot',
  pidNamespace: 'pid:[1]',
  host: 'node7',
  command: 'python serve.py',
  since: 1,
}
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
])('a record that is malformed is no owner: %j', (record) => {
  expect(parseOwner(record)).toBeNull()
})

test('a message names pid, host and command, or says that it does not know', () => {
  expect(describeOwner(owner)).toBe('pid 41 on node7 (python serve.py)')
  expect(describeOwner(null)).toBe('an unknown process')
})
