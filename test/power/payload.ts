/** A result in two files, written in pieces by calls that a recorded disk sees; and reading it without the library. */
import assert from 'node:assert/strict'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const FILES = ['kernel.bin', 'deep/weights.bin']

export const contentOf = (name: string, file: string): string => `${name} ${file}\n`.repeat(500)

export function writeInPieces(path: string, content: string): void {
  const fd = openSync(path, 'wx')
  writeSync(fd, content.slice(0, 1000))
  writeSync(fd, content.slice(1000))
  closeSync(fd)
}

export function writePayload(dir: string, name: string): void {
  mkdirSync(join(dir, 'deep'))
  for (const file of FILES) writeInPieces(join(dir, file), contentOf(name, file))
}

/** @throws AssertionError where there is anything else */
export function assertPayload(dir: string, names: readonly string[]): void {
  assert.deepEqual(readdirSync(dir).sort(), ['deep', 'kernel.bin'])
  const texts = FILES.map((file) => readFileSync(join(dir, file), 'utf8'))
  const whole = names.some((name) => FILES.every((file, index) => texts[index] === contentOf(name, file)))
  assert.ok(whole, `what is in ${dir} is none of ${names.join()}`)
}

/** An entry, as it lies there; `false`: there is none. */
export function hasEntry(path: string, names: readonly string[]): boolean {
  if (!existsSync(path)) return false
  assert.ok(existsSync(join(path, 'MANIFEST.json')), `${path} has no manifest`)
  assertPayload(join(path, 'files'), names)
  return true
}
