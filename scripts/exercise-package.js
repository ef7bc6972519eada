// Run by check-package.mjs behind an import or a require of `cachelatch`: the main jobs, on every locker that is here.
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = await import('node:fs')
const { tmpdir } = await import('node:os')
const { spawn, spawnSync } = await import('node:child_process')
const root = mkdtempSync(`${tmpdir()}/cachelatch-exercise-`)
const said = []
try {
  for (const locker of ['auto', 'kernel', 'lockfile']) {
    const cache = await cachelatch.openCache(`${root}/${locker}`, { locker, strict: true })
    let builds = 0
    const build = async ({ dir }) => {
      builds++
      await new Promise((resolve) => setTimeout(resolve, 50))
      writeFileSync(`${dir}/kernel.bin`, 'compiled')
    }
    const entries = await Promise.all([1, 2, 3].map(() => cache.getOrCompile({ model: 'm' }, build)))
    if (builds !== 1) throw new Error(`${builds} builds`)
    if (readFileSync(`${entries[0].path}/kernel.bin`, 'utf8') !== 'compiled') throw new Error('wrong content')
    for (const entry of entries) await entry.release()
    said.push(`${locker}=${(await cache.locker()).kind}`)
  }
  await cachelatch.writeFile(`${root}/w/graph.bin`, new Uint16Array([1, 2, 3]))
  if (readFileSync(`${root}/w/graph.bin`).length !== 6) throw new Error('short file')
  await cachelatch.writeDirectory(`${root}/w/kernels`, (dir) => writeFileSync(`${dir}/a`, 'a'))
  await cachelatch.withLock(`${root}/w/graph.bin`, () => cachelatch.writeFile(`${root}/w/graph.bin`, 'inner'))
  said.push(await waitedForAnotherProcess(`${root}/w/shared`))
  console.log(`ok (${said.join(', ')})`)
} finally {
  rmSync(root, { recursive: true, force: true })
}

/** flock(1) holds the lock of `path`: ours must come after it. */
async function waitedForAnotherProcess(path) {
  if (spawnSync('flock', ['--version']).status !== 0) return 'no flock(1) to wait for'
  await cachelatch.writeFile(path, 'first')
  const holder = spawn('flock', [await cachelatch.lockPath(path), 'sh', '-c', 'echo held; sleep 0.3'])
  let ended = false
  const end = new Promise((resolve) => holder.once('exit', () => resolve((ended = true))))
  await new Promise((resolve) => holder.stdout.once('data', resolve))
  const waited = await cachelatch.withLock(path, (lease) => lease.waited)
  await end
  if (!waited || !ended) throw new Error('the lock of another process was not waited for')
  return 'waited for another process'
}
