/**
 * How workers share a compile cache today: what Triton's FileCacheManager does, step by step. Each kernel is a
 * group of files in a directory named by a hash; whoever finds the group incomplete compiles that kernel and puts
 * its files one by one. Each file appears atomically, the group does not, and nothing keeps two workers from
 * compiling the same kernel.
 */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { compileKey, compileLayer, sha256 } from './compiler.js'
import type { Kernel, KernelMetadata } from './compiler.js'
import { readKernel } from './load.js'
import type { Tell } from './messages.js'
import { MODEL } from './model.js'
import type { Layer } from './model.js'
import type { Obtained } from './ways.js'

type Group = Partial<Record<string, string>>

const WASM = 'kernel.wasm'
const METADATA = 'kernel.json'
const GROUP = '__grp__kernel.json'

export async function obtainByFileCache(root: string, tell: Tell): Promise<Obtained> {
  const key = await compileKey()
  const kernels: Kernel[] = []
  let compiling = false
  for (const layer of MODEL.layers) {
    const directory = join(root, sha256(JSON.stringify({ ...key, layer })))
    await mkdir(directory, { recursive: true })
    let group = await getGroup(directory)
    if (!group[WASM] || !group[METADATA]) {
      if (!compiling) {
        compiling = true
        tell({ is: 'compile', step: 'started' })
        tell({ is: 'phase', phase: 'compiling' })
      }
      group = await compileInto(directory, layer, tell)
    }
    kernels.push(await readGroup(group))
  }
  if (compiling) tell({ is: 'compile', step: 'finished' })
  tell({ is: 'phase', phase: 'loading' })
  return { kernels, outcome: compiling ? 'compiled' : 'hit', release: () => Promise.resolve() }
}

async function getGroup(directory: string): Promise<Group> {
  const path = join(directory, GROUP)
  if (!existsSync(path)) return {}
  const { child_paths: children } = JSON.parse(await readFile(path, 'utf8')) as { child_paths: Group }
  return Object.fromEntries(Object.entries(children).filter(([, child]) => child && existsSync(child)))
}

async function compileInto(directory: string, layer: Layer, tell: Tell): Promise<Group> {
  const { wasm, metadata } = await compileLayer(layer, (step, name) => tell({ is: 'layer', step, name }))
  const group = {
    [WASM]: await put(directory, WASM, wasm),
    [METADATA]: await put(directory, METADATA, JSON.stringify(metadata)),
  }
  await put(directory, GROUP, JSON.stringify({ child_paths: group }))
  return group
}

async function readGroup(group: Group): Promise<Kernel> {
  const metadata = JSON.parse(await readFile(group[METADATA]!, 'utf8')) as KernelMetadata
  return readKernel(group[WASM]!, metadata)
}

async function put(directory: string, name: string, data: string | Uint8Array): Promise<string> {
  const temporary = join(directory, `tmp.pid_${process.pid}_${randomUUID()}`)
  await mkdir(temporary, { recursive: true })
  await writeFile(join(temporary, name), data)
  await rename(join(temporary, name), join(directory, name))
  await removeDirectories(temporary)
  return join(directory, name)
}

/** Python's os.removedirs: an error on the leaf is raised; then empty parents go, up to the first that will not. */
async function removeDirectories(leaf: string): Promise<void> {
  await rmdir(leaf)
  try {
    for (let parent = dirname(leaf); parent !== dirname(parent); parent = dirname(parent)) await rmdir(parent)
  } catch {
    // as os.removedirs has it
  }
}
