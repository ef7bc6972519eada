/**
 * The key of `once`, from its options: JSON in which every part has a name that tells where it came from, so that a
 * person can read it in `ls`, and whose order does not matter.
 */
import { basename } from 'node:path'
import { messageOf } from '../core/errors.js'
import type { Key } from '../core/key.js'
import { UsageError } from './usage.js'

export const KEY_OPTIONS = {
  key: {
    value: 'KEY',
    multiple: true,
    text: 'the key; --key NAME=VALUE, repeated, for one of several parts, whose order does not matter',
  },
  'key-file': {
    value: '[NAME=]FILE',
    multiple: true,
    text: `a part of the key: what is in FILE, or in all files below a directory. Its path does not count, only NAME (the
      last part of the path), so that two checkouts share; a FILE with a = in its path is given with a /`,
  },
  'key-env': {
    value: 'VAR',
    multiple: true,
    text: 'a part of the key: the value of an environment variable, readable in the entry; unset and empty are two values',
  },
  'key-cmd': {
    value: 'CMD',
    multiple: true,
    text: `a part of the key: what the shell command prints on stdout, such as 'nvcc --version', without the newlines at its
      end. When it fails, there is no key, and nothing is done`,
  },
} as const

export type KeyOptions = Record<keyof typeof KEY_OPTIONS, string[]>

/** @throws UsageError */
export async function keyFrom(options: KeyOptions): Promise<Key> {
  const { key: texts, 'key-env': variables, 'key-cmd': scripts, 'key-file': files } = options
  const others = files.length + variables.length + scripts.length
  const [first] = texts
  if (first === undefined && others === 0)
    throw new UsageError('a key is missing: cachelatch once --key KEY -- CMD')
  if (first !== undefined && texts.length === 1 && others === 0 && !first.includes('=')) return first
  const parts = [
    ...texts.map((text) => textPart(text, texts.length === 1)),
    ...variables.map(variablePart),
    ...(others > variables.length ? await measuredParts(files, scripts) : []),
  ]
  const named = new Map(parts)
  if (named.size === parts.length) return Object.fromEntries(named)
  const twice = parts.find(([name], index) => parts.findIndex(([other]) => other === name) !== index)!
  throw new UsageError(`the key has two parts '${twice[0]}': name one of them otherwise (NAME=…).`)
}

type Part = [name: string, value: string | null]

/** A text without a name, among parts of other kinds, is the part `key`. */
function textPart(text: string, isOnly: boolean): Part {
  const at = text.indexOf('=')
  if (at === -1 && isOnly) return ['key', text]
  if (at === -1) throw new UsageError(`of several parts of a key, each is NAME=VALUE, and '${text}' is not.`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function variablePart(name: string): Part {
  if (name === '' || name.includes('='))
    throw new UsageError(`--key-env takes the name of a variable, not '${name}'.`)
  return [`env:${name}`, process.env[name] ?? null]
}

/** Loaded only here: most keys are text. */
async function measuredParts(files: string[], scripts: string[]): Promise<Part[]> {
  const { fingerprintOf, outputOf } = await import('../host/fingerprint.js')
  const parts: Part[] = []
  for (const text of files) {
    const { name, path } = splitFile(text)
    try {
      parts.push([`file:${name}`, `sha256:${await fingerprintOf(path)}`])
    } catch (error) {
      throw new UsageError(`--key-file ${path} cannot be read: ${messageOf(error)}.`)
    }
  }
  for (const script of scripts) {
    try {
      parts.push([`cmd:${script}`, outputOf(script)])
    } catch (error) {
      throw new UsageError(`--key-cmd '${script}' failed: ${messageOf(error)}.`)
    }
  }
  return parts
}

/** `NAME=FILE`, where NAME is no path. */
function splitFile(text: string): { name: string; path: string } {
  const [, name, named] = /^([^/=]+)=(.+)$/s.exec(text) ?? []
  const path = named ?? text
  if (path === '') throw new UsageError('--key-file takes the path of a file.')
  return { name: name ?? basename(path), path }
}
