// The command as it is published, in dist/bin: CommonJS, which Node starts 10 ms sooner than ES modules, in a few
// files instead of 70, each loaded when it is needed. The library beside it stays in modules, as compiled.
import { existsSync, readFileSync } from 'node:fs'
import { rolldown } from 'rolldown'

/** Of `--version`, and of everything; of a hit of `once`. Each of them is one file: a file more is 0.3 ms. */
const START = /src\/cli\/(usage|render)\.ts$/
const HIT = /src\/cli\/once\.ts$/

const bundle = await rolldown({
  // A thread and a process are started by the names of their files, which have to be what they are in the sources.
  input: {
    cachelatch: 'src/cli/main.ts',
    'heartbeat-thread': 'src/lock/heartbeat-thread.ts',
    'prober-process': 'src/doctor/prober-process.ts',
  },
  platform: 'node',
  // Optional, and a binary.
  external: ['koffi'],
  plugins: [{ name: 'package', generateBundle: addPackageFiles }],
})
await bundle.write({
  dir: 'dist/bin',
  format: 'cjs',
  entryFileNames: '[name].js',
  chunkFileNames: '[name].js',
  comments: false,
  codeSplitting: {
    groups: [
      { name: 'start', test: START, priority: 1 },
      { name: 'hit', test: HIT },
    ],
  },
})
await bundle.close()

/** These files are CommonJS in a package of ES modules; and the licences of what is bundled go along with it. */
function addPackageFiles(_options, bundle) {
  this.emitFile({ type: 'asset', fileName: 'package.json', source: '{ "type": "commonjs" }\n' })
  const folders = Object.values(bundle)
    .flatMap(({ moduleIds = [] }) => moduleIds)
    .map((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0])
  const texts = [...new Set(folders.filter(Boolean))].toSorted((a, b) => (a < b ? -1 : 1)).map(licenceOf)
  this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source: texts.join('\n') })
}

function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
  const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'license.md', 'License']
    .map((each) => `${folder}/${each}`)
    .find((path) => existsSync(path))
  if (file === undefined) throw new Error(`${name} has no file with its licence: it cannot be bundled.`)
  return `${name} ${version} (${license})\n\n${readFileSync(file, 'utf8')}`
}
