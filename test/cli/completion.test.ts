/** Completion, as bash, zsh and fish do it with our scripts. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type Command, defineCommand } from '../../src/cli/command.js'
import { allCommands } from '../../src/cli/commands.js'
import { bashScript } from '../../src/cli/completion/bash.js'
import { fishScript } from '../../src/cli/completion/fish.js'
import { type Offer, offersOf } from '../../src/cli/completion/offers.js'
import { zshScript } from '../../src/cli/completion/zsh.js'
import { COMMAND, runCommand } from '../support/command.js'
import { missing } from '../support/needs.js'
import { useScratch } from '../support/scratch.js'
import { NEEDS, type Shell, type ShellName, askFish, openShell } from '../support/shells.js'

const SCRIPTS: Record<string, (offers: Offer[]) => string> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}
const scratch = useScratch()

describe.each(Object.keys(NEEDS) as ShellName[])('%s', (name) => {
  let shell: Shell | undefined
  afterEach(async () => {
    await shell?.end()
    shell = undefined
  })

  /** In a directory with a file and a directory. */
  async function open(commands: Command[]): Promise<{ here: string; shell: Shell }> {
    const [here, home] = [scratch('here'), scratch('home')]
    mkdirSync(join(here, 'kernels'))
    writeFileSync(join(here, 'key.json'), '')
    const script = SCRIPTS[name.split(' ')[0]!]!(offersOf(commands))
    shell = await openShell(name, script, { home, here })
    return { here, shell }
  }
  const skipped = missing(...NEEDS[name])

  test.skipIf(skipped)('every command is offered, every option of each, and every choice', async () => {
    const commands = await allCommands()
    const { shell } = await open(commands)
    const names = commands.map((command) => command.name)
    expect(await shell.complete('cachelatch ')).toEqual([...names, 'help'].sort())
    expect(await shell.complete('cachelatch help ')).toEqual(names.sort())
    expect(await shell.complete('cachelatch --')).toEqual(['--help', '--version'])
    for (const { name, options } of commands) {
      const all = Object.entries({ ...options, help: { short: 'h' } })
      const words = all.flatMap(([long, { short }]) =>
        short === undefined ? [`--${long}`] : [`--${long}`, `-${short}`],
      )
      expect(await shell.complete(`cachelatch ${name} -`), name).toEqual(words.sort())
      for (const [long, { choices }] of Object.entries(options)) {
        if (choices === undefined) continue
        const values = [...choices].sort()
        expect(await shell.complete(`cachelatch ${name} --${long} `), long).toEqual(values)
        expect(await shell.complete(`cachelatch ${name} --${long}=`), long).toEqual(values)
      }
    }
  })

  test.skipIf(skipped)('values: directories for DIR, all files for FILE and PATH, else nothing', async () => {
    const { shell } = await open([SAMPLE])
    for (const option of ['--cache ', '--cache=', '--cache k', '--cache=k'])
      expect(await shell.complete(`cachelatch sample --json ${option}`), option).toEqual(['kernels'])
    for (const option of ['--events ', '--events=', '-e ', '--log k', '--log=k', ''])
      expect(await shell.complete(`cachelatch sample ${option}`), option).toEqual(
        expect.arrayContaining(['kernels', 'key.json']),
      )
    for (const option of ['--wait ', '--wait=', '--wait k'])
      expect(await shell.complete(`cachelatch sample ${option}`), option).toEqual([])
    expect(await shell.complete('cachelatch sample --cache kernels --ev')).toEqual(['--events'])
    expect(await shell.complete('cachelatch nonsense ')).toEqual([])
  })

  test.skipIf(skipped)('what follows -- is completed as a command of its own', async () => {
    const { shell } = await open(await allCommands())
    expect(await shell.complete('cachelatch once --key a=1 -- basen')).toContain('basename')
    expect(await shell.complete('cachelatch once --key "a b" -- basename ke')).toEqual([
      'kernels',
      'key.json',
    ])
    expect(await shell.complete('cachelatch ls -- basen')).toEqual([])
    if (name === 'bash') return
    const inner = 'cachelatch exec /x --wait=5 -- cachelatch ls --so'
    expect(await shell.complete(inner)).toEqual(['--sort'])
    expect(await shell.complete(`${inner}rt `)).toEqual(['age', 'size', 'used'])
  })

  test.skipIf(skipped)('nothing that was typed is evaluated', async () => {
    const { here, shell } = await open(await allCommands())
    for (const line of TRAPS) {
      await shell.complete(line)
      expect(existsSync(join(here, 'planted')), line).toBe(false)
    }
    // The shell is still there, and knows our commands.
    expect(await shell.complete('cachelatch gc --max-s')).toEqual(['--max-size'])
  })

  test.skipIf(skipped)('a script that evaluates what was typed would be seen', async () => {
    const [here, home] = [scratch('here'), scratch('home')]
    shell = await openShell(name, CARELESS[name.split(' ')[0]!]!, { home, here })
    await shell.complete('cachelatch ls $(touch planted)')
    expect(existsSync(join(here, 'planted'))).toBe(true)
  })

  test.skipIf(skipped)('no description means anything to a shell', async () => {
    const { here, shell } = await open([ODD])
    expect(await shell.complete('cachelatch od')).toEqual(['odd'])
    expect(await shell.complete('cachelatch odd -')).toEqual(['--dry', '--help', '--to', '--wet', '-d', '-h'])
    expect(await shell.complete('cachelatch odd --to ')).toEqual(['kernels'])
    expect(existsSync(join(here, 'planted'))).toBe(false)
  })
})

test.skipIf(missing('fish'))('fish shows the descriptions as they are', async () => {
  const places = { home: scratch('home'), here: scratch('here') }
  await openShell('fish', fishScript(offersOf([ODD])), places)
  const shown = ['cachelatch odd --d', 'cachelatch od'].map((line) => askFish(line, places)).join('')
  expect(shown).toBe(`--dry\t${ODD_TEXT}\nodd\t${ODD_TEXT}\n`)
})

test('what --help says makes the scripts known', async () => {
  const home = scratch()
  const bin = join(home, 'bin')
  mkdirSync(bin)
  mkdirSync(join(home, '.config/fish/completions'), { recursive: true })
  writeFileSync(join(bin, 'cachelatch'), `#!/bin/sh\nexec '${process.execPath}' '${COMMAND}' "$@"\n`, {
    mode: 0o755,
  })
  const { examples } = (await allCommands()).find(({ name }) => name === 'completion')!
  const known = execFileSync('bash', ['-ec', [...examples, 'complete -p cachelatch'].join('\n')], {
    env: { ...process.env, HOME: home, PATH: `${bin}:${process.env['PATH']}` },
    encoding: 'utf8',
  })
  expect(known).toBe('complete -F _cachelatch cachelatch\n')
  const offers = offersOf(await allCommands())
  const zsh = readFileSync(join(home, '.zfunc/_cachelatch'), 'utf8')
  const fish = readFileSync(join(home, '.config/fish/completions/cachelatch.fish'), 'utf8')
  expect({ zsh, fish }).toEqual({ zsh: zshScript(offers), fish: fishScript(offers) })
})

test.each([[[]], [['tcsh']], [['bash', 'zsh']]])('exit code 64: completion %j', async (args) => {
  const ended = await runCommand(scratch(), 'completion', ...args)
  expect(ended).toMatchObject({ code: 64, stdout: '' })
})

/** Command lines with commands in them, which create a file when they are run. */
const TRAPS = [
  'cachelatch $(touch planted) --',
  'cachelatch `touch planted` --',
  'cachelatch ls "$(touch planted)" --so',
  'cachelatch ls --cache $(touch planted)/',
  'cachelatch ls --cache "$(touch planted)/',
  'cachelatch ls --cache=`touch planted`/',
  'cachelatch ls --cache ${x:-$(touch planted)}/',
  'cachelatch ls --cache (touch planted)/',
  "cachelatch ls --sort '$(touch planted)",
  'cachelatch exec $(touch planted)/',
  'cachelatch once --key x$(touch planted) -- ls --al',
  'cachelatch once --key x -- $(touch planted) ',
  'cachelatch once --key x -- `touch planted`/',
  'cachelatch once --key x -- ls $(touch planted)/',
  'cachelatch once --key x -- ls (touch planted)/',
  "cachelatch once --key x -- ls '$(touch planted)",
]

const CARELESS: Record<string, string> = {
  bash: '_careless() { eval "set -- $COMP_LINE"; }; complete -F _careless cachelatch',
  zsh: '#compdef cachelatch\neval "set -- $words"',
  fish: "complete -c cachelatch -a '(eval echo (commandline -ct))'",
}

const SAMPLE = defineCommand({
  name: 'sample',
  usage: 'FILE [OPTIONS]',
  summary: 'a value of every sort',
  about: '',
  options: {
    cache: { value: 'DIR', text: 'a directory' },
    events: { short: 'e', value: 'FILE', text: 'a file' },
    log: { value: 'PATH', text: 'a path' },
    wait: { value: 'SECONDS', text: 'a number' },
    json: { text: 'a switch' },
  },
  examples: [],
})

const ODD_TEXT = `it's [odd]: "a" \\ \\' 100% {x,y} ~ * $(touch planted) \`touch planted\` #; (touch planted) <here>`
const ODD = defineCommand({
  name: 'odd',
  usage: '[OPTIONS]',
  summary: ODD_TEXT,
  about: '',
  options: {
    dry: { short: 'd', text: ODD_TEXT },
    wet: { text: ODD_TEXT },
    to: { value: 'DIR', multiple: true, text: ODD_TEXT },
  },
  examples: [],
})
