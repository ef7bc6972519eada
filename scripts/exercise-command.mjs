// Run by check-package.mjs in a project that has the tarball installed: the command as it is published, with the
// runtime in argv, its main jobs, and the lock whose heart beats in a thread. Whatever it says on stderr is an error.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCache } from 'cachelatch'

const COMMAND = join(import.meta.dirname, 'node_modules/cachelatch/dist/bin/cachelatch.js')
const root = mkdtempSync(join(tmpdir(), 'cachelatch-exercise-'))
const env = { ...process.env, CACHELATCH_DIR: root }

const run = (program, args) => {
  const { status, stdout, stderr } = spawnSync(program, args, { env, encoding: 'utf8' })
  if (stderr !== '') throw new Error(`${args.join(' ')}: ${stderr}`)
  return { status, stdout: stdout.trim() }
}
const cachelatch = (...args) => run(process.execPath, [COMMAND, ...args])
const same = (what, is, shouldBe) => {
  if (JSON.stringify(is) !== JSON.stringify(shouldBe))
    throw new Error(`${what}: ${JSON.stringify(is)} instead of ${JSON.stringify(shouldBe)}`)
}

try {
  const { version } = JSON.parse(readFileSync(join(COMMAND, '../../../package.json'), 'utf8'))
  same('--version', cachelatch('--version'), { status: 0, stdout: version })
  same('in the path', run(join(COMMAND, '../../../../.bin/cachelatch'), ['--version']).stdout, version)
  same('--help', /^ +once /m.test(cachelatch('--help').stdout), true)

  const build = ['--', 'sh', '-c', 'echo compiled >"$CACHELATCH_STAGE/graph.bin"']
  const cold = cachelatch('once', '--key', 'm=1', '--key', 'd=2', ...build)
  same('cold', readFileSync(join(cold.stdout, 'graph.bin'), 'utf8'), 'compiled\n')
  same('hit', cachelatch('once', '--key', 'd=2', '--key', 'm=1', '--', 'false'), cold)
  same('failing', cachelatch('once', '--key', 'f', '--', 'sh', '-c', 'exit 7'), { status: 7, stdout: '' })

  same('exec', cachelatch('exec', 'x', '--', 'sh', '-c', 'echo in; exit 3'), { status: 3, stdout: 'in' })
  const inner = `"${process.execPath}" "${COMMAND}" exec x -n -- true 2>/dev/null; echo $?`
  same('busy', cachelatch('exec', 'x', '--', 'sh', '-c', inner).stdout, '75')

  const listed = () => JSON.parse(cachelatch('ls', '--json').stdout).entries.map(({ key }) => JSON.parse(key))
  same('ls', listed(), [{ d: '2', m: '1' }])
  same('gc', cachelatch('gc', '--max-age', '1h').status, 0)
  same('verify', cachelatch('verify').status, 0)
  writeFileSync(join(cold.stdout, 'graph.bin'), 'COMPILED\n')
  same('verify of a damaged one', cachelatch('verify', '--quarantine').status, 1)
  same('set aside', listed(), [])

  // Only while its heart beats is there a token in the directory that is the lock.
  await (await openCache(join(root, 'net'), { locker: 'lockfile', strict: true })).locker()
  const beaten = ['--', 'sh', '-c', `ls '${root}/net/v1/locks/'*.held/* >"$CACHELATCH_STAGE/held"`]
  const network = cachelatch('once', '--cache', join(root, 'net'), '--key', 'n', ...beaten)
  same('network lock', network.status, 0)
  same('hit', cachelatch('once', '--cache', join(root, 'net'), '--key', 'n', '--', 'false'), network)
  console.log('ok (once, exec, ls, gc, verify, --version, --help; kernel and network lock)')
} finally {
  rmSync(root, { recursive: true, force: true })
}
