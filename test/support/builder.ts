/**
 * A compiler that is a shell script. It fills its stage with a candidate (candidate.ts) named by its pid, logs every
 * step as `pid parent step`, and stands still at the step that `standAt` names until it is killed.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from './until.js'

export const STEPS = ['begun', 'half a file', 'one file', 'both files'] as const
export type Step = (typeof STEPS)[number]

const SCRIPT = `
step() {
  echo "$$ $PPID $1" >>"$BUILD_LOG"
  if [ "$1" = "$BUILD_STAND_AT" ]; then read -r _ <"$BUILD_NEVER"; fi
}
lines() {
  awk -v name=$$ -v file="$1" -v from="$2" -v to="$3" 'BEGIN { for (i = from; i < to; i++) print name, file, i }' \\
    >>"$CACHELATCH_STAGE/$1"
}
[ -z "$BUILD_DEAF" ] || trap '' TERM
step begun
lines kernel.bin 0 200
step 'half a file'
lines kernel.bin 200 400
step 'one file'
lines weights.bin 0 400
step 'both files'
`

export interface Logged {
  pid: number
  parent: number
  step: string
}

export class Builder {
  readonly #log: string
  readonly #never: string
  readonly #script: string

  constructor(directory: string) {
    this.#log = join(directory, 'log')
    this.#never = join(directory, 'never')
    this.#script = join(directory, 'build.sh')
    writeFileSync(this.#script, SCRIPT)
    writeFileSync(this.#log, '')
    spawnSync('mkfifo', [this.#never])
  }

  get args(): string[] {
    return ['once', '--key', 'model', '--', 'sh', this.#script]
  }

  /** @param deaf ignores SIGTERM */
  env({ standAt = '', deaf = false }: { standAt?: Step | ''; deaf?: boolean } = {}): NodeJS.ProcessEnv {
    return {
      BUILD_LOG: this.#log,
      BUILD_NEVER: this.#never,
      BUILD_STAND_AT: standAt,
      BUILD_DEAF: deaf ? 'yes' : '',
    }
  }

  /** Lets whoever stands still go on. */
  release(): void {
    if (existsSync(this.#never)) writeFileSync(this.#never, '\n')
  }

  get logged(): Logged[] {
    return readFileSync(this.#log, 'utf8')
      .trimEnd()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [pid, parent, ...step] = line.split(' ')
        return { pid: Number(pid), parent: Number(parent), step: step.join(' ') }
      })
  }

  countOf(step: Step): number {
    return this.logged.filter((each) => each.step === step).length
  }

  reached(step: Step): Promise<Logged> {
    return until(`the build has reached '${step}'`, () => this.logged.find((each) => each.step === step))
  }
}
