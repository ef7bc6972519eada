/** Runs a compiled model, and trusts nothing that was read from the disk. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from './compiler.js'
import type { Kernel, KernelMetadata } from './compiler.js'
import { drawnDigit } from './model.js'
import { runReference } from './reference.js'

// The types of Node 20 leave this global to the DOM's, which have no place here.
declare const WebAssembly: {
  instantiate(
    bytes: Uint8Array,
  ): Promise<{ instance: { exports: { memory: { buffer: ArrayBuffer }; run: () => void } } }>
}

export class CorruptFile extends Error {}
export class WrongNumbers extends Error {}

/** Reads what compileModel() wrote. */
export async function readModel(dir: string): Promise<Kernel[]> {
  const { kernels } = JSON.parse(await readFile(join(dir, 'model.json'), 'utf8')) as {
    kernels: KernelMetadata[]
  }
  return Promise.all(kernels.map((metadata) => readKernel(join(dir, `${metadata.name}.wasm`), metadata)))
}

export async function readKernel(path: string, metadata: KernelMetadata): Promise<Kernel> {
  const wasm = await readFile(path)
  if (wasm.length !== metadata.bytes || sha256(wasm) !== metadata.sha256) {
    throw new CorruptFile(`${path} is not the file that its metadata describes (${wasm.length} bytes)`)
  }
  return { metadata, wasm }
}

/** Runs the model on the drawn digit, compares with the reference, and returns a digest of the numbers. */
export async function runAndCheck(kernels: Kernel[]): Promise<string> {
  const image = drawnDigit()
  let values = image
  for (const kernel of kernels) values = await runKernel(kernel, values)

  const expected = runReference(image)
  const differs = expected.findIndex((number, index) => !Object.is(number, values[index]))
  if (differs >= 0 || values.length !== expected.length) {
    throw new WrongNumbers(`output ${differs}: ${values[differs]} instead of ${expected[differs]}`)
  }
  return digestOf(values)
}

export function digestOf(values: Float32Array): string {
  return sha256(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
}

async function runKernel({ metadata, wasm }: Kernel, values: Float32Array): Promise<Float32Array> {
  const { instance } = await WebAssembly.instantiate(wasm)
  const { memory, run } = instance.exports
  const { input, output } = metadata
  new Float32Array(memory.buffer, input.address, input.floats).set(values)
  run()
  return new Float32Array(memory.buffer, output.address, output.floats).slice()
}
