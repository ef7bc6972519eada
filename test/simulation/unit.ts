/**
 * Units of a slot that say themselves what they have to be: each file names the build of the one before it, so that what
 * one worker has had at one time is the beginning of one chain, and nothing else is.
 */
import { check, describe } from './payload.js'

export const UNITS = ['made/a', 'made/b', 'made/c']

export const PRESET = {
  name: 'made',
  about: 'chains of files',
  variables: { MADE_DIR: 'made' },
  units: ['made/*'],
  checked: 'here',
}

const FIRST = 'nothing'

export const nameOf = (index: number): string => `f${index}`

/** @param builds of the files that are there */
export function nextFile(unit: string, builds: readonly string[], build: string, fill: number): Buffer {
  return describe(unit, `${build}<${builds.at(-1) ?? FIRST}`, nameOf(builds.length), fill)
}

/** The builds of its files, in their order. @throws what is wrong, in words */
export function buildsIn(unit: string, files: ReadonlyMap<string, Buffer>): string[] {
  const builds: string[] = []
  for (let index = 0; index < files.size; index++) {
    const name = nameOf(index)
    const bytes = files.get(name)
    if (bytes === undefined) throw new Error(`${unit} has ${[...files.keys()].join(', ')}, and not ${name}`)
    const [build, before] = check(bytes, unit, name).split('<') as [string, string]
    if (before !== (builds.at(-1) ?? FIRST))
      throw new Error(`${unit} is a mixture: ${name} was made after ${before}, and is after ${builds.at(-1)}`)
    builds.push(build)
  }
  return builds
}
