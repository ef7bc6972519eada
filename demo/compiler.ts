/** The real compiler: AssemblyScript at -O3, one WebAssembly module for each layer. */
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { FLOAT_BYTES, kernelSource } from './generate.js'
import { MODEL, sizesOf } from './model.js'
import type { Layer } from './model.js'

export type KernelMetadata = {
  name: string
  layer: Layer
  input: { address: number; floats: number }
  output: { address: number; floats: number }
  bytes: number
  sha256: string
}
export type Kernel = { metadata: KernelMetadata; wasm: Uint8Array }

/** Called as each layer is begun and ended. */
export type OnLayer = (step: 'started' | 'finished', name: string) => void

// Not a literal in import(), so that its types are not read: they redeclare `console` for the whole program.
const COMPILER: string = 'assemblyscript/asc'
const COMPILER_FLAGS = ['-O3', '--runtime', 'stub', '--noAssert', '--initialMemory', '1']

/** The part of AssemblyScript's interface that is used here. */
type Assembler = {
  main(
    args: string[],
    host: {
      readFile(name: string): string | null
      writeFile(name: string, contents: Uint8Array | string): void
      listFiles(): string[]
    },
  ): Promise<{ error: Error | null; stderr: { toString(): string } }>
}

export async function compileLayer(layer: Layer, onLayer: OnLayer): Promise<Kernel> {
  onLayer('started', layer.name)
  const wasm = await assemble(kernelSource(layer))
  const { inputs, outputs } = sizesOf(layer)
  onLayer('finished', layer.name)
  return {
    wasm,
    metadata: {
      name: layer.name,
      layer,
      input: { address: 0, floats: inputs },
      output: { address: inputs * FLOAT_BYTES, floats: outputs },
      bytes: wasm.length,
      sha256: sha256(wasm),
    },
  }
}

/** Fills a directory with the compiled model: one .wasm a layer, and model.json, which describes them. */
export async function compileModel(dir: string, onLayer: OnLayer, signal: AbortSignal): Promise<void> {
  const kernels: KernelMetadata[] = []
  for (const layer of MODEL.layers) {
    signal.throwIfAborted()
    const { metadata, wasm } = await compileLayer(layer, onLayer)
    const path = join(dir, `${layer.name}.wasm`)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, wasm)
    kernels.push(metadata)
  }
  await writeFile(join(dir, 'model.json'), JSON.stringify({ model: MODEL.name, kernels }, null, 2))
}

/** Everything that the compiled files depend on. The compiler itself is not loaded for this. */
export async function compileKey(): Promise<{ model: typeof MODEL; compiler: string; flags: string[] }> {
  const manifest = createRequire(import.meta.url).resolve('assemblyscript/package.json')
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string }
  return { model: MODEL, compiler: `assemblyscript ${version}`, flags: COMPILER_FLAGS }
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function assemble(source: string): Promise<Uint8Array> {
  // Loaded here and not above: it takes half a second, and a worker that finds the model compiled needs none of it.
  const { default: asc } = (await import(COMPILER)) as { default: Assembler }
  let binary: Uint8Array | undefined
  const { error, stderr } = await asc.main(['kernel.ts', '--outFile', 'kernel.wasm', ...COMPILER_FLAGS], {
    readFile: (name) => (name === 'kernel.ts' ? source : null),
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') binary = contents
    },
    listFiles: () => [],
  })
  if (error || !binary) throw new Error(`AssemblyScript failed: ${stderr.toString()}`, { cause: error })
  return binary
}
