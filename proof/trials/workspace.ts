/**
 * A copy of the compiled repository in which one source file at a time is changed. Tests run there as they run in the
 * repository itself; what they do not change is linked.
 */
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compiled } from './compiled.js'

export const REPOSITORY = join(import.meta.dirname, '../../..')

const COPIED = ['.build', 'src']
const LINKED = ['node_modules', 'test', 'docs', 'dist', 'package.json', 'tsconfig.json', 'vitest.config.ts']

export class Workspace {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), 'cachelatch-trials-')))

  constructor() {
    for (const name of COPIED) cpSync(join(REPOSITORY, name), join(this.path, name), { recursive: true })
    for (const name of LINKED) symlinkSync(join(REPOSITORY, name), join(this.path, name))
  }

  /** Runs `work` while `text` is what stands in `file`, below src/. */
  async with<T>(file: string, text: string, work: () => Promise<T>): Promise<T> {
    const source = join(this.path, 'src', file)
    const output = join(this.path, '.build/src', file.replace(/\.ts$/, '.js'))
    const [sourceBefore, outputBefore] = [readFileSync(source, 'utf8'), readFileSync(output, 'utf8')]
    try {
      writeFileSync(source, text)
      writeFileSync(output, compiled(file, text))
      return await work()
    } finally {
      writeFileSync(source, sourceBefore)
      writeFileSync(output, outputBefore)
    }
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
