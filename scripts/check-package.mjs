// The packed tarball, as a user gets it: lint of the package, resolution of its types, and a run from ESM, from
// `require` and of the command in an empty project, on this Node. With --matrix also on Node 20, 22, 24, 26 and on Bun and Deno, all
// from the registry.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const work = mkdtempSync(join(tmpdir(), 'cachelatch-package-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))

const run = (command, args, cwd = work) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()

const [{ filename }] = JSON.parse(
  run('npm', ['pack', '--json', '--silent', '--pack-destination', work], root),
)
const tarball = join(work, filename)
console.log(`packed ${filename}`)

run('npx', ['publint', tarball, '--strict'], root)
console.log('publint: no findings')
run('npx', ['attw', tarball, '--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm'], root)
console.log('attw: types resolve from ESM and, as an ES module, from require')

writeFileSync(join(work, 'package.json'), '{ "private": true }')
run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', tarball])

console.log(run(process.execPath, [join(import.meta.dirname, 'run-readme.mjs'), work]))

const exercise = readFileSync(join(import.meta.dirname, 'exercise-package.js'), 'utf8')
writeFileSync(join(work, 'esm.mjs'), `import * as cachelatch from 'cachelatch'\n${exercise}`)
writeFileSync(
  join(work, 'cjs.cjs'),
  `const cachelatch = require('cachelatch')\n;(async () => {\n${exercise}\n})()\n`,
)

copyFileSync(join(import.meta.dirname, 'exercise-command.mjs'), join(work, 'command.mjs'))

const runtimes = [{ name: `node ${process.versions.node}`, command: [process.execPath] }]
if (process.argv.includes('--matrix')) {
  const { platform, arch } = process
  for (const major of ['20', '22', '24', '26']) {
    runtimes.push(fromRegistry('node', `node-${platform}-${arch}@${major}`, 'bin/node', []))
  }
  const bun = `@oven/bun-${platform}-${arch === 'arm64' ? 'aarch64' : arch}`
  const deno = `@deno/${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}`
  runtimes.push(
    fromRegistry('bun', bun, 'bin/bun', ['run']),
    fromRegistry('deno', deno, 'deno', ['run', '--allow-all']),
  )
}

let [passed, failed] = [0, 0]
for (const { name, command } of runtimes) {
  // The command is made for Node; the library runs on all of them.
  for (const script of ['esm.mjs', 'cjs.cjs', ...(name.startsWith('node') ? ['command.mjs'] : [])]) {
    try {
      console.log(`${name}, ${script}: ${run(command[0], [...command.slice(1), join(work, script)])}`)
      passed++
    } catch (error) {
      failed++
      console.log(`${name}, ${script}: FAILED\n${error.stdout ?? ''}${error.stderr ?? error}`)
    }
  }
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

/** A runtime as an npm package: the one with the binary in it, which needs no install script. */
function fromRegistry(name, spec, binary, args) {
  const home = mkdtempSync(join(work, 'runtime-'))
  writeFileSync(join(home, 'package.json'), '{ "private": true }')
  run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', spec], home)
  const command = join(home, 'node_modules', spec.replace(/(?<=.)@.*$/, ''), binary)
  const version = /\d+\.\d+\.\d+/.exec(run(command, ['--version']))[0]
  return { name: `${name} ${version}`, command: [command, ...args] }
}
