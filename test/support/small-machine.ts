/**
 * A machine with no other process: looking into all of /proc, for who has a slot or a lock of ours, takes most of the
 * time of a test that does little else, and nobody else knows of its private directories. Changes nothing else.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const module = fs as unknown as { readdirSync: (...args: unknown[]) => unknown }
const readdir = module.readdirSync

module.readdirSync = (path, ...rest) => (path === '/proc' ? [String(process.pid)] : readdir(path, ...rest))
syncBuiltinESMExports()
