/** One simulated world, made from a seed: machines, the disk that they share, processes, and what goes wrong. */
import { Faults, isInjected } from './faults.js'
import { Machine } from './machine.js'
import { EPOCH_MS } from './machine.js'
import { Process } from './process.js'
import { Chance } from './random.js'
import { Scheduler } from './scheduler.js'
import { type Swarm, chooseSwarm } from './swarm.js'
import { type Inode, Volume } from './volume.js'
import { Witness } from './witness.js'

export const CACHE = '/cache'
export const DATA = '/data'

export class World {
  readonly chance: Chance
  readonly swarm: Swarm
  readonly scheduler: Scheduler
  readonly shared: Volume
  readonly machines: Machine[]
  readonly faults: Faults
  readonly witness: Witness
  /** Whose code has run last. */
  running: Process | undefined
  readonly #alive = new Set<Process>()
  #pids = 100
  /** How many processes there have been. */
  started = 0
  /** When lock files were deleted for the last time. */
  cleanedAt = Number.NEGATIVE_INFINITY

  constructor(seed: number, locker?: Swarm['locker']) {
    this.chance = new Chance(seed)
    this.swarm = chooseSwarm(this.chance, locker)
    this.scheduler = new Scheduler(this.chance)
    this.shared = new Volume(1, this.swarm.ordered, this.chance, () => EPOCH_MS + this.scheduler.now)
    this.machines = Array.from(
      { length: this.swarm.machines },
      (_, n) => new Machine(this, `host${n}`, 10 + n),
    )
    for (const { temporary } of this.machines) addDirectory(temporary, 'tmp')
    for (const path of [CACHE, DATA]) addDirectory(this.shared, path.slice(1))
    this.faults = new Faults(this)
    this.witness = new Witness(this)
  }

  start(machine = this.chance.pick(this.machines)): Process {
    const pid = ++this.#pids
    const slowness = this.chance.happens(0.2) ? this.chance.magnitude(1, 50) : 1
    const process = new Process(this, machine, `p${pid}@${machine.name.slice(4)}`, pid, slowness)
    this.#alive.add(process)
    return process
  }

  /** A child, which outlives its parent where that is killed. @param fd of the parent's, inherited */
  spawn(
    { machine, calls }: Process,
    environment: Readonly<Record<string, string>>,
    fd: number | null,
  ): Process {
    const pid = ++this.#pids
    const child = new Process(this, machine, `w${pid}@${machine.name.slice(4)}`, pid, 1, environment)
    child.mayFail = false
    if (fd !== null) child.calls.inherit(fd, calls)
    this.#alive.add(child)
    return child
  }

  processesOn(machine: Machine): Process[] {
    return [...this.#alive].filter((process) => process.machine === machine)
  }

  isAlive(machine: Machine, pid: number): boolean {
    return this.processesOn(machine).some((process) => process.pid === pid)
  }

  startedWith(by: Process, name: string, value: string): Process[] {
    return this.processesOn(by.machine).filter((other) => other !== by && other.environment[name] === value)
  }

  /** Those that are left have ended, by themselves or not. */
  async allGone(): Promise<void> {
    await Promise.all([...this.#alive].map(({ gone }) => gone))
  }

  ended(process: Process): void {
    this.#alive.delete(process)
  }

  happened(process: Process): void {
    this.faults.strike(process)
  }

  losePower(): void {
    for (const process of this.#alive) process.kill()
    this.shared.losePower()
    for (const machine of this.machines) machine.reboot()
    this.witness.powerLost()
  }

  crash(machine: Machine): void {
    for (const process of this.#alive) if (process.machine === machine) process.kill()
    machine.reboot()
  }

  isMissing(root: string): boolean {
    return find(this.shared, `${root}/v1`) === null
  }

  /** Deletes what looks like old lock files to somebody. */
  cleanUp({ temporary }: Machine): void {
    this.cleanedAt = this.scheduler.now
    const { chance } = this
    const victims: [Volume, Inode, string][] = []
    const collect = (volume: Volume, directory: Inode | null, isOld: (name: string) => boolean): void => {
      for (const name of directory?.names.keys() ?? [])
        if (isOld(name) && chance.happens(0.5)) victims.push([volume, directory!, name])
    }
    collect(temporary, find(temporary, '/tmp/gates'), () => true)
    for (const root of [CACHE, `${DATA}/.cachelatch`])
      collect(this.shared, find(this.shared, `${root}/v1/locks`), (name) => name.endsWith('.lock'))
    for (const [volume, directory, name] of victims) volume.bind({ directory, name, inode: null })
  }

  deleteCache(): void {
    const top = find(this.shared, CACHE)!
    removeAll(this.shared, top)
  }

  trace(process: Process, name: string, paths: readonly unknown[], result: unknown): void {
    const told =
      result instanceof Error ? ` -> ${isInjected(result) ? 'injected ' : ''}${codeOf(result)}` : ''
    const value = typeof result === 'number' || typeof result === 'boolean' ? ` = ${result}` : ''
    this.scheduler.trace.add(process.name, `${name} ${paths.map(shown).join(' ')}${told}${value}`)
  }
}

const codeOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? error.message

function shown(value: unknown): string {
  // 128 and more random bits are told by their first few.
  return String(value).replace(/[0-9a-f]{32,}/g, (hex) => `${hex.slice(0, 6)}…`)
}

function addDirectory(volume: Volume, name: string): void {
  const { root } = volume
  volume.bind({ directory: root, name, inode: volume.make('directory', 0o777) })
  volume.sync(root)
}

function removeAll(volume: Volume, directory: Inode): void {
  for (const [name, inode] of directory.names) {
    if (inode.kind === 'directory') removeAll(volume, inode)
    volume.bind({ directory, name, inode: null })
  }
}

/** As everybody sees it just now. */
export function find(volume: Volume, path: string): Inode | null {
  let inode: Inode | undefined = volume.root
  for (const name of path.split('/').filter(Boolean)) inode = inode?.names.get(name)
  return inode ?? null
}
