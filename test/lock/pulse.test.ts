/** When a holder may still believe to be alone: the two threads' views of one heart. */
import { expect, test } from 'vitest'
import { Pulse } from '../../src/lock/pulse.js'

const STALE_MS = 2_000

/** Both sides of one pulse on a clock that stands until it is set. */
function makePulse(): { heart: Pulse; holder: Pulse; at: (ms: number) => bigint } {
  let now = 0n
  const memory = new SharedArrayBuffer(Pulse.BYTES)
  const [heart, holder] = [new Pulse(memory, STALE_MS, () => now), new Pulse(memory, STALE_MS, () => now)]
  const at = (ms: number): bigint => (now = BigInt(ms) * 1_000_000n)
  at(1)
  heart.start()
  return { heart, holder, at }
}

test('a holder is sure for the stale time from the beginning of the take, and of each beat', () => {
  const { heart, holder, at } = makePulse()
  at(2_001)
  expect(holder.isSure()).toBe(true)
  const began = at(2_001)
  expect(heart.beat(began)).toBe(true)
  at(4_001)
  expect(holder.isSure()).toBe(true)
  at(4_002)
  expect(holder.isSure()).toBe(false)
})

test('a beat counts from its beginning, however late its thread hears that it has ended', () => {
  const { heart, holder, at } = makePulse()
  const began = at(500)
  at(1_900)
  expect(heart.beat(began)).toBe(true)
  at(2_501)
  expect(holder.isSure()).toBe(false)
})

test('a beat that ends too late is a loss for good, though nobody has looked before', () => {
  const { heart, holder, at } = makePulse()
  const began = at(1_000)
  at(2_002)
  expect(heart.beat(began)).toBe(false)
  expect(holder.isSure()).toBe(false)
  expect(heart.beat(at(2_003))).toBe(false)
})

test('what the holder has found lost no later beat brings back', () => {
  const { heart, holder, at } = makePulse()
  at(2_002)
  expect(holder.isSure()).toBe(false)
  expect(heart.beat(at(2_003))).toBe(false)
  expect(holder.isSure()).toBe(false)
})

test('what the heart has given up, for whatever reason, the holder knows at once', () => {
  const { heart, holder } = makePulse()
  heart.lose()
  expect(holder.isSure()).toBe(false)
})

test('a loss that is found while a beat is noted stays', () => {
  const memory = new SharedArrayBuffer(Pulse.BYTES)
  const holder = new Pulse(memory, STALE_MS, () => 0n)
  let looks = 0
  // Between the beat's look and its note, the other thread finds the lock lost.
  const heart = new Pulse(memory, STALE_MS, () => {
    if (++looks === 2) holder.lose()
    return 1n
  })
  heart.start()
  expect(heart.beat(1n)).toBe(false)
  expect(holder.isSure()).toBe(false)
})
