/** The lock made of a rename and an unlink: each of its races made to happen. */
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Disk, directDisk } from '../../src/host/disk.js'
import { HeldDirectory } from '../../src/lock/held-directory.js'
import { useScratch } from '../support/scratch.js'
import { type SteppedDisk, atCall } from '../support/stopping-disk.js'

const scratch = useScratch()
const [OURS, THEIRS, DEAD] = ['a', 'b', 'd'].map((digit) => digit.repeat(32)) as [string, string, string]

test('another takes the lock before any call of a take: it has it, and nobody else; after the last, it comes too late', async () => {
  for (let n = 1, reached = true; reached; n++) {
    const path = `${scratch()}/model`
    const theirs = new HeldDirectory(directDisk, path)
    let theyGotIt = false
    const ours = atCall(n, async () => void (theyGotIt = await theirs.take(THEIRS)))
    const weGotIt = await new HeldDirectory(diskOf(ours), path).take(OURS)
    reached = ours.reached !== undefined
    if (!reached) theyGotIt = await theirs.take(THEIRS)
    expect([weGotIt, theyGotIt], `before ${ours.reached}, call ${n}`).toEqual([!reached, reached])
    expect(readdirSync(`${path}.held`)).toEqual([reached ? THEIRS : OURS])
  }
})

test('two who saw the same dead holder: the slower one removes nothing', async () => {
  const path = `${scratch()}/model`
  mkdirSync(`${path}.held`)
  writeFileSync(`${path}.held/${DEAD}`, '')
  const [fast, slow] = [new HeldDirectory(directDisk, path), new HeldDirectory(directDisk, path)]
  expect([await fast.holder(), await slow.holder()]).toEqual([DEAD, DEAD])
  expect(await fast.remove(DEAD)).toBe(true)
  expect(await fast.take(OURS)).toBe(true)
  expect(await slow.remove(DEAD)).toBe(false)
  expect(await slow.take(THEIRS)).toBe(false)
  expect(await slow.holder()).toBe(OURS)
})

test('a link that comes as the holder is looked for leads to nothing that counts', async () => {
  const path = `${scratch()}/model`
  const elsewhere = scratch()
  writeFileSync(`${elsewhere}/${THEIRS}`, '')
  const swapping: Disk = {
    ...directDisk,
    readdir(directory) {
      symlinkSync(elsewhere, `${path}.held`)
      return directDisk.readdir(directory)
    },
  }
  await expect(new HeldDirectory(swapping, path).holder()).rejects.toMatchObject({ code: 'UNSAFE_PATH' })
})

test('who takes over between the two calls of a release keeps the lock', async () => {
  const path = `${scratch()}/model`
  const next = new HeldDirectory(directDisk, path)
  let taken = false
  const ours = atCall(2, async () => void (taken = await next.take(THEIRS)))
  await next.take(OURS)
  await new HeldDirectory(diskOf(ours), path).remove(OURS)
  expect(taken).toBe(true)
  expect(ours.reached).toBe('rmdir')
  expect(await next.holder()).toBe(THEIRS)
})

test('a take whose answer was lost is a take; one that did not arrive leaves nothing', async () => {
  const lost = (): never => {
    throw Object.assign(new Error('the answer was lost'), { code: 'EIO' })
  }
  const forgetful: Disk = { ...directDisk, rename: (from, to) => directDisk.rename(from, to).then(lost) }
  const path = `${scratch()}/model`
  expect(await new HeldDirectory(forgetful, path).take(OURS)).toBe(true)
  expect(readdirSync(`${path}.held`)).toEqual([OURS])

  const other = `${scratch()}/model`
  const refusing: Disk = { ...directDisk, rename: async () => lost() }
  await expect(new HeldDirectory(refusing, other).take(OURS)).rejects.toMatchObject({ code: 'EIO' })
  expect(existsSync(`${other}.held`)).toBe(false)
  expect(existsSync(`${other}.held-${OURS}`)).toBe(false)
})

function diskOf({ host }: SteppedDisk): Disk {
  return host.diskFor(host.inspect('/'))
}
