/** docs/cli.md says what the command does: it is made from the same descriptions, and its JSON shapes hold. */
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { expect, test } from 'vitest'
import { MANUAL, manual } from '../../docs/manual.js'
import { PRESETS_PAGE, presetsPage } from '../../docs/presets.js'
import { allCommands } from '../../src/cli/commands.js'
import { SETTINGS } from '../../src/host/settings.js'
import { parsePreset } from '../../src/launch/preset-file.js'
import { openCache } from '../../src/index.js'
import { runCommand } from '../support/command.js'
import { useScratch } from '../support/scratch.js'
import { put } from '../support/shelf.js'

const REPOSITORY = join(import.meta.dirname, '../../..')
const scratch = useScratch()

test('docs/cli.md and docs/presets.md are what `npm run docs` makes', async () => {
  for (const [file, text] of [
    [MANUAL, await manual()],
    [PRESETS_PAGE, presetsPage()],
  ] as const) {
    const made = await format(text, { ...(await resolveConfig(file)), parser: 'markdown' })
    expect(readFileSync(file, 'utf8'), 'run `npm run docs`').toBe(made)
  }
})

test('the preset that docs/presets.md shows is one', () => {
  const [, json] = /```json\n([^]+?)```/.exec(readFileSync(PRESETS_PAGE, 'utf8'))!
  expect(parsePreset(json!, 'example')).toMatchObject({ name: 'my-compiler' })
})

test('every variable that the code reads is in the manual, and none else', () => {
  const sources = readdirSync(join(REPOSITORY, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('settings.ts'),
  )
  const text = sources.map((name) => readFileSync(join(REPOSITORY, 'src', name), 'utf8')).join('\n')
  const read = [...text.matchAll(/process\.env(?:\.(\w+)|\[['"](\w+)['"]\])/g)].map((m) => m[1] ?? m[2]!)
  const own = readFileSync(join(REPOSITORY, 'src/host/settings.ts'), 'utf8')
  const listed = Object.keys(SETTINGS)
  expect(read.filter((name) => !listed.includes(name))).toEqual([])
  expect(listed.filter((name) => !read.includes(name) && own.split(name).length < 3)).toEqual([])
})

test('what --json prints has the documented shape: the compiler checks real output', async () => {
  const root = scratch()
  const cache = await openCache(root, { strict: true })
  await put(cache, 'alpha', 1024)
  await put(cache, 'beta', 2048)
  const events = join(scratch(), 'events')
  const build = ['sh', '-c', 'echo gamma >"$CACHELATCH_STAGE/f"']
  await runCommand(root, 'once', '--key', 'gamma', '--events', events, '--', ...build)
  const args: Record<string, string[]> = { timeline: [events], env: ['--preset', 'vllm'] }
  const commands = (await allCommands()).filter(({ report }) => report !== undefined)
  const lines: string[] = []
  for (const { name, report } of commands) {
    const { stdout, stderr } = await runCommand(root, name, '--json', ...(args[name] ?? []))
    expect({ name, stderr }).toEqual({ name, stderr: '' })
    lines.push(`export const ${name}: ${report} = ${stdout}`)
  }
  const types = join(REPOSITORY, 'src/core/report.js')
  const names = [...new Set(commands.map(({ report }) => report))].join(', ')
  const file = join(scratch(), 'output.ts')
  writeFileSync(file, `import type { ${names} } from '${types}'\n${lines.join('\n')}`)
  const tsc = join(REPOSITORY, 'node_modules/.bin/tsc')
  const options = '--ignoreConfig --noEmit --strict --module nodenext --target es2023 --types'
  execFileSync(tsc, [...options.split(' '), '', file], { encoding: 'utf8' })
})
