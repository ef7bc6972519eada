// README's blocks, run as they stand, by somebody who has installed the package: `console` blocks line by line, and
// compared with the output that README shows (`…` stands for anything in a line); `js` blocks as programs.
//     node scripts/run-readme.mjs DIRECTORY-WITH-THE-PACKAGE-INSTALLED
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const installed = resolve(process.argv[2])
const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
const scratch = mkdtempSync(join(tmpdir(), 'cachelatch-readme-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))

const failures = [...runConsoleBlocks(), ...runPrograms()]
for (const failure of failures) console.error(failure)
console.log(`README: ${failures.length === 0 ? 'every block works, and prints what it shows' : 'FAILED'}`)
process.exitCode = failures.length === 0 ? 0 : 1

/** All in one shell: a later line may use what an earlier one has set. */
function runConsoleBlocks() {
  const steps = blocks('console').flatMap(parse)
  const mark = (index) => `--- ${index} ended ---`
  const script = steps.map(({ command }, index) => `${command}\necho "${mark(index)} $?"`).join('\n')
  const home = join(scratch, 'home')
  mkdirSync(home)
  const path = `${join(installed, 'node_modules/.bin')}:${process.env.PATH}`
  const { stdout } = spawnSync('bash', ['-c', `exec 2>&1\n${script}`], {
    cwd: scratch,
    // Empty is as if it were not set.
    env: { ...process.env, HOME: home, PATH: path, CACHELATCH_DIR: '', XDG_CACHE_HOME: '' },
    encoding: 'utf8',
  })
  let rest = stdout
  return steps.flatMap(({ command, shown }, index) => {
    const end = rest.indexOf(mark(index))
    const printed = rest.slice(0, end)
    const code = rest.slice(end + mark(index).length + 1).split('\n', 1)[0]
    rest = rest.slice(rest.indexOf('\n', end) + 1)
    if (code === '0' && asPattern(shown).test(printed)) return []
    return [`$ ${command}\nexit code ${code}\n--- README shows\n${shown}--- it prints\n${printed}`]
  })
}

function runPrograms() {
  const prelude = [
    "import { writeFileSync as put } from 'node:fs'",
    "const compile = async (dir) => put(`${dir}/graph.bin`, 'compiled')",
    "const bytes = new TextEncoder().encode('compiled')",
  ].join('\n')
  return blocks('js').flatMap((block, index) => {
    const file = join(installed, `readme-${index}.mjs`)
    writeFileSync(file, `${prelude}\n${block.replaceAll('/tmp/', `${scratch}/`)}`)
    mkdirSync(join(scratch, 'llama'), { recursive: true })
    try {
      execFileSync(process.execPath, [file], { stdio: 'pipe' })
      return []
    } catch (error) {
      return [`README's program\n${block}\nfailed:\n${error.stderr}`]
    }
  })
}

function blocks(language) {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(([, text]) => text)
}

function parse(block) {
  const steps = []
  for (const line of block.split('\n').slice(0, -1))
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), shown: '' })
    else steps.at(-1).shown += `${line}\n`
  return steps
}

function asPattern(shown) {
  const parts = shown.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^\\n]*')}$`)
}
