/** What the figures were measured on. */
import { arch, cpus, loadavg, release, totalmem, type as systemName } from 'node:os'
import { inspectFileSystem } from '../src/host/filesystem.js'

export interface Machine {
  cpu: string
  cores: number
  /** In GB, 10^9 bytes. */
  memory: number
  kernel: string
  fileSystem: string
  node: string
  date: string
  /** Average of the last minute, before the run: above zero, others were busy on the machine. */
  load: number
}

export function describeMachine(directory: string): Machine {
  const { type, options } = inspectFileSystem(directory)
  const processors = cpus()
  return {
    cpu: `${processors[0]?.model ?? 'unknown CPU'} (${arch()})`,
    cores: processors.length,
    memory: Math.round(totalmem() / 1e9),
    kernel: `${systemName()} ${release().replace(/-.*/, '')}`,
    fileSystem: `${type} (${[...new Set(options)].filter(Boolean).join(',')})`,
    node: process.versions.node,
    date: new Date().toISOString(),
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
  }
}
