/**
 * A copy of the compiled repository in which one source file at a time is changed. Tests run there as they run in the
 * repository itself; what they do not change is linked.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Safeguard } from './safeguard.js'

export const REPOSITORY = join(import.meta.dirname, '../../..')

const COPIED = ['.build', 'src']
const LINKED = ['node_modules', 'test', 'docs', 'dist', 'package.json', 'tsconfig.json', 'vitest.config.ts']

export class Workspace {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), 'cachelatch-safeguards-')))

  constructor() {
    for (const name of COPIED) cpSync(join(REPOSITORY, name), join(this.path, name), { recursive: true })
    for (const name of LINKED) symlinkSync(join(REPOSITORY, name), join(this.path, name))
  }

  /** Runs `work` while the safeguard is missing. */
  async without<T>(safeguard: Safeguard, work: () => Promise<T>): Promise<T> {
    const source = join(this.path, 'src', safeguard.file)
    const compiled = join(this.path, '.build/src', safeguard.file.replace(/\.ts$/, '.js'))
    const [text, javascript] = [readFileSync(source, 'utf8'), readFileSync(compiled, 'utf8')]
    try {
      writeFileSync(source, remove(safeguard, text))
      this.#compile(source, compiled, javascript)
      return await work()
    } finally {
      writeFileSync(source, text)
      writeFileSync(compiled, javascript)
    }
  }

  /** Only this file, and without looking at its types: what it imports is compiled already. */
  #compile(source: string, compiled: string, before: string): void {
    const config = join(this.path, 'tsconfig.one.json')
    const compilerOptions = {
      rootDir: '.',
      outDir: '.build',
      noCheck: true,
      noResolve: true,
      sourceMap: false,
    }
    writeFileSync(
      config,
      JSON.stringify({ extends: './tsconfig.json', compilerOptions, files: [source], include: [] }),
    )
    const tsc = spawnSync(join(REPOSITORY, 'node_modules/.bin/tsc'), ['-p', config], { encoding: 'utf8' })
    if (/error TS1\d{3}:/.test(tsc.stdout)) throw new Error(`It does not compile: ${tsc.stdout}`)
    if (withoutMap(readFileSync(compiled, 'utf8')) === withoutMap(before))
      throw new Error(`${source}: the compiled code is the same without it`)
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

const withoutMap = (javascript: string): string =>
  javascript.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '').trimEnd()

/** @throws where its code does not stand in the file exactly once: the list has rotted */
export function remove({ name, file, code, without }: Safeguard, text: string): string {
  const count = text.split(code).length - 1
  if (count !== 1) throw new Error(`${name}: its code stands ${count} times in src/${file}:\n${code}`)
  return text.replace(code, () => without)
}
