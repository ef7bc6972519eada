/** What Node does not offer: opening a file that no link leads to. */
import { closeSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadNative } from '../../src/host/native.js'
import { useScratch } from '../support/scratch.js'

const scratch = useScratch()
const native = loadNative()

test.skipIf(native === null || process.platform !== 'linux')(
  'opens what no link leads to, and nothing else',
  () => {
    const root = scratch()
    const file = join(root, 'a/b/file')
    mkdirSync(join(root, 'a/b'), { recursive: true })
    writeFileSync(file, 'whole')
    const openNoLinks = (path: string): number | null => native!.openNoLinks(path)
    const fd = openNoLinks(file)!
    expect(readFileSync(fd, 'utf8')).toBe('whole')
    closeSync(fd)

    symlinkSync(file, join(root, 'a/b/link'))
    expect(openNoLinks(join(root, 'a/b/link'))).toBeNull()
    renameSync(join(root, 'a'), join(root, 'elsewhere'))
    symlinkSync('elsewhere', join(root, 'a'))
    expect(readFileSync(file, 'utf8')).toBe('whole')
    expect(openNoLinks(file)).toBeNull()
    expect(openNoLinks(join(root, 'nothing'))).toBeNull()
  },
)
